"""The model card of the text classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.text.habits import OTHERS, POSTERS
from models.text.words import WORDS

if TYPE_CHECKING:
    from models.text.train import Report, Row


def card(report: Report, size: int) -> str:
    """Markdown. ``size`` is that of the weights file in bytes."""
    posters = [row for row in report.rows if row.poster]
    others = [row for row in report.rows if not row.poster]
    seen = report.trained_on
    lines = [
        "# text",
        "",
        "Says of an image's alt text, title, caption, file name and folders, before any download, whether it is",
        "*surely not* a poster, *likely* one, or *unsure*. Logistic regression over hashed character n-grams;",
        f"{size / 1e3:.0f} kB. Made by `python -m models train-text`; the same data give the same bytes.",
        "",
        "## What it was trained on",
        "",
        f"{seen['posters']:,} posters and {seen['others']:,} other images, as texts only: file names, captions and alt",
        "texts from pieces of Wikipedia (film articles against all others), and made-up candidates in the habits of",
        f"{len(POSTERS)} kinds of site that show posters and {len(OTHERS)} that show other things, in {len(WORDS)}"
        " languages, about real film titles,",
        "names of actors and names of articles. The wording of the made-up part was written for this project. Texts",
        "cannot be read back from the weights: n-grams are hashed into shared buckets and only sums are kept.",
        "",
        "## How it was measured",
        "",
        "Every group below was judged by a model that had not seen it, nor any film in it:",
        "",
        "- *source*: one collection of real file names and captions, all of it left out, and its film titles too;",
        "- *habit*: one kind of site that shows posters (made up), left out in all languages;",
        "- *language*: one language (made up, with what Wikipedia has of it unless English), left out in all habits;",
        "- *kind*: other images by what they are, in languages left out.",
        "",
        f"The threshold for *surely not* is a logit of {report.surely_not:.2f}: the highest at which the groups lose",
        "0.3 % of their posters on average at most, and the 95 % bound of every group of 400 or more is within 1 %.",
        f"*Likely* begins at {report.likely:.2f}, where 2 % of the other images pass.",
        "",
        "Where alt text, title and file name hold no word (numbers, hashes, camera names, `image1.jpg`) the answer is",
        "*unsure*, by rule and not by the model.",
        "",
        "The threshold was chosen on the groups below, and so were the penalty and the patterns, so the figures are",
        "not those of an untouched test set and are better than a new kind of site will see.",
        "",
        "## Posters dropped",
        "",
        "Share called *surely not*. The 95 % bound of a group is Clopper–Pearson's upper end; that of a mean comes",
        "from drawing whole groups 2,000 times, since texts of one group resemble each other.",
        "",
        "| posters | groups | mean dropped | 95 % bound | worst group |",
        "|---|---|---|---|---|",
        *(
            f"| by {name} | {mean.groups} | {mean.share:.2%} | {mean.upper:.2%} | {mean.worst:.2%} |"
            for name, mean in report.dropped.items()
        ),
        "",
        "| posters | count | without a word | dropped | 95 % bound | likely |",
        "|---|---|---|---|---|---|",
        *(_row(row) for row in posters),
        "",
        "## Downloads saved",
        "",
        "Share of other images called *surely not*, and the share called *likely*, which are downloaded earlier than",
        "need be. The kinds are equally frequent here, which they are on no real page: there icons and logos abound,",
        "but many say nothing.",
        "",
        "| other images | count | without a word | saved | likely |",
        "|---|---|---|---|---|",
        *(
            f"| {row.group} | {row.count:,} | {row.wordless:.1%} | {row.surely_not:.1%} | {row.likely:.1%} |"
            for row in others
        ),
        "",
        "## What it cannot do",
        "",
        "- It knows posters only. For any other label it must not be asked.",
        "- It reads words. A title alone is a poster, a still, a soundtrack or a book alike, so those are unsure.",
        "- Where names say nothing it saves nothing, and most names do.",
        "- Photographs with captions are hardly ever *surely not*: film titles can be any phrase.",
        "- A poster whose text says it is something else (alt `logo`, file `Screen_shot_…`) can be dropped.",
        "- Apart from the sources, what it was measured on is made up by those who made up what it was trained on.",
        "  Real pages in other languages than English are missing.",
        "- Posters of plays, concerts and congresses are posters by their words; they were not in the training text.",
        "- The score is no probability.",
        "",
    ]
    return "\n".join(lines)


def _row(row: Row) -> str:
    shares = f"{row.wordless:.1%} | {row.surely_not:.2%} | {row.upper:.2%} | {row.likely:.1%}"
    return f"| {row.group} | {row.count:,} | {shares} |"
