"""The model card: what a network was trained on, how good it is on sources it never saw, and where it fails.

The sections follow Mitchell et al., "Model Cards for Model Reporting" (FAccT 2019).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.curve import CurveError, threshold_at, write_curve
from models.evaluate import Report, operating_point
from models.plots import write_mistakes, write_plots
from models.ranking import FALSE_ALARMS, ROUNDS, Ranking
from models.training.dataset import COVERS, Sample

GOALS = {
    "average_precision": ("AP, all images", 0.95),
    "web_average_precision": ("AP, web mix", 0.99),
    "recall": (f"recall at {FALSE_ALARMS:.0%} false alarms", 0.97),
    "covers_passing": ("covers passing there, at most", 0.12),
}
"""Figure of :class:`Ranking` → what it is called in the card, and what the project wants of it."""
POINTS = (("precision", 0.9), ("precision", 0.95), ("precision", 0.99), ("recall", 0.95), ("recall", 0.98))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the report cannot know of a network."""

    side: int
    """Of the input, in pixels."""
    size: int
    """Of the weights file, in bytes."""
    temperature: float
    """The logits were divided by it before the softmax."""
    offset: float
    """Added to the logit of the wanted label before that."""
    started_from: str
    """The weights that training began with, and their licence: a noun phrase."""
    training: Sequence[str] = ()
    """How it was trained: Markdown, a list item each."""


def write_card(
    out: Path,
    report: Report,
    training: Sequence[Sample],
    held_out: Sequence[Sample],
    facts: Facts,
    *,
    mistakes: bool = False,
) -> None:
    """Write ``card.md``, its plots and ``curve.json`` into the folder ``out``, which must exist.

    Args:
        out: the model's folder.
        report: measured on ``held_out``.
        training: what the network was trained on.
        held_out: images of other sources.
        facts: see there.
        mistakes: write ``mistakes.png`` too. It shows pictures of ``held_out``: not for a card that is given away
            unless they may be. The table of confusions says the same without them.
    """
    write_curve(out / "curve.json", report.scored.table, report.scored.labels, report.scored.targets)
    write_plots(report, out)
    if mistakes:
        write_mistakes(report, out / "mistakes.png")
    sections = (
        _what(report, training, facts),
        _use(report),
        _ranking(report),
        _goals(report),
        _thresholds(report, out / "curve.json"),
        _calibration(report),
        _confusions(report, mistakes),
        _by_label(report),
        _by_source(report),
        _data(training, held_out),
    )
    (out / "card.md").write_text("\n\n".join("\n".join(lines) for lines in sections if lines) + "\n")


def _what(report: Report, training: Sequence[Sample], facts: Facts) -> list[str]:
    sources = [len({sample.source for sample in part}) for part in (training, report.scored.samples)]
    return [
        f"# {report.model}",
        "",
        f"Says what kind of image a web page shows, and above all whether it is a {report.label}.",
        "",
        f"- Input: {facts.side}×{facts.side} RGB, letterboxed on grey, so that the aspect ratio stays visible.",
        f"- Output: the probabilities of {len(report.scored.labels)} labels; they sum to 1.",
        f"- File: {facts.size / 1e6:.1f} MB.",
        f"- Started from: {facts.started_from}.",
        *(f"- {line}" for line in facts.training),
        f"- Calibrated: softmax at temperature {facts.temperature:.2f} (Guo et al., ICML 2017), after adding"
        f" {facts.offset:.2f} to the logit of {report.label} (Alexandari et al., ICML 2020). These two numbers, and no"
        " other, were fitted on the held-out images.",
        "",
        f"Trained on {len(training):,} images of {sources[0]:,} sources, measured on {report.images:,} images of"
        f" {sources[1]:,} sources that it never saw.",
        "A source is one collection of one site, and is on one side only.",
    ]


def _use(report: Report) -> list[str]:
    return [
        "## Use and limits",
        "",
        f"Meant for filtering what a crawl finds: a score to threshold, or to sort by for people to look at. A"
        f" {report.label}",
        "is what its training sources call one. It says nothing of who made an image, who is on it, or who may use it.",
        "",
        "- Scanned, photographed or cut versions are recognised as far as the training data had or imitated them.",
        "- Kinds of image that are in none of its labels get the label they look most like.",
        f"- Precision depends on how rare a {report.label} is. Here {report.chance:.1%} of the images are one; where"
        " it is rarer,",
        "  precision is lower at the same threshold, and recall is the same.",
    ]


def _ranking(report: Report) -> list[str]:
    measured = {name for sample in report.scored.samples if (name := sample.label) in COVERS - {report.label}}
    return [
        f"## How well it finds a {report.label}",
        "",
        f"*Web mix* leaves out what is designed like posters ({', '.join(sorted(measured)) or 'none here'}).",
        f"*Recall* is that of the threshold at which {FALSE_ALARMS:.0%} of the other images of the web mix pass;",
        "*covers passing* is the share of those designed images that pass with them.",
        "",
        "| ranked by | AP, all | AUC, all | AP, web mix | AUC, web mix | recall | covers passing |",
        "|---|---|---|---|---|---|---|",
        _ranking_row(report.model, report.ranking),
        _ranking_row("aspect ratio alone (nearness to 2:3)", report.aspect_only),
        f"| always no | {report.chance:.3f} | 0.500 | | 0.500 | 0 | 0 |",
        "",
        "![Precision and recall](pr.png)",
    ]


def _goals(report: Report) -> list[str]:
    figures = report.ranking.as_dict()
    rows, short = [], []
    for name, (title, goal) in GOALS.items():
        value, at_most = figures[name], name == "covers_passing"
        low, high = report.intervals.get(name, (None, None))
        met = value is not None and (value <= goal if at_most else value >= goal)
        rows.append(
            f"| {title} | {goal} | {_figure(value)} | {_figure(low)}–{_figure(high)} | {'yes' if met else '**no**'} |"
        )
        if not met:
            short.append(title.removesuffix(", at most"))
    sources = len({sample.source for sample in report.scored.samples if sample.label == report.label})
    return [
        "## What it should reach, and does it",
        "",
        "| figure | goal | measured | 95 % interval | reached |",
        "|---|---|---|---|---|",
        *rows,
        "",
        f"It falls short in: {'; '.join(short)}." if short else "It reaches all of them here.",
        f"The intervals are from {ROUNDS} rounds of drawing whole sources with replacement. There are {sources} of"
        f" {report.label}; with so few",
        "they are coarse.",
    ]


def _thresholds(report: Report, curve: Path) -> list[str]:
    lines = [
        "## Thresholds",
        "",
        "| threshold | precision | recall | false alarms, web mix | covers passing |",
        "|---|---|---|---|---|",
        *(f"| {threshold} | {_cells(row.values())} |" for threshold, row in report.at_threshold.items()),
    ]
    targets = np.array(report.scored.targets)
    wanted, covers = targets == report.label, np.isin(targets, list(COVERS))
    probability = report.scored.table[:, report.scored.labels.index(report.label)]
    for goal, value in POINTS:
        try:
            threshold = threshold_at(curve, [report.label], goal, value)
        except CurveError as error:
            lines.append(f"| `{goal}={value}` | {error} | | | |")
            continue
        row = operating_point(probability, wanted, covers, threshold)
        lines.append(f"| `{goal}={value}` → {threshold:.3f} | {_cells(row.values())} |")
    return [*lines, "", "`curve.json` has precision and recall at 199 thresholds for each label that was held out."]


def _calibration(report: Report) -> list[str]:
    return [
        "## Do the probabilities mean what they say?",
        "",
        f"Expected calibration error, 15 bins of equally many images: {report.top_reliability.ece:.3f} for the most"
        f" probable label, {report.label_reliability.ece:.3f} for {report.label}.",
        "",
        "![Reliability](reliability.png)",
        "",
        f"| probability of {report.label} | images | mean | share that is one |",
        "|---|---|---|---|",
        *(
            f"| {bin.lowest:.3f}–{bin.highest:.3f} | {bin.images:,} | {bin.confidence:.3f} | {bin.accuracy:.3f} |"
            for bin in report.label_reliability.bins
        ),
    ]


def _confusions(report: Report, mistakes: bool) -> list[str]:
    labels, counts = report.confusion.labels, np.array(report.confusion.counts)
    lines = ["## What it takes for what", "", "![Confusion](confusion.png)"]
    if mistakes:
        lines += ["", "![The worst mistakes](mistakes.png)"]
    if report.label not in labels:
        return lines
    own = labels.index(report.label)
    for title, column, totals in (
        (f"named {report.label}", counts[:, own], counts.sum(1)),
        (f"{report.label}, named so instead", counts[own], np.full(len(labels), counts[own].sum())),
    ):
        order = [i for i in np.argsort(-column, kind="stable") if i != own and column[i]]
        lines += ["", f"| kind | {title} | of |", "|---|---|---|"]
        lines += [f"| {labels[i]} | {column[i]:,} | {totals[i]:,} |" for i in order] or ["| none | | |"]
    return lines


def _by_label(report: Report) -> list[str]:
    return [
        "## By label",
        "",
        f"The most probable label is the right one for {report.accuracy:.1%} of the images.",
        "",
        "| label | held out | precision | recall | F1 | AP | AUC |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row.label} | {row.support:,} |"
            f" {_cells((row.precision, row.recall, row.f1, row.average_precision, row.auc))} |"
            for row in report.by_label
        ),
    ]


def _by_source(report: Report) -> list[str]:
    return [
        "## By held-out source",
        "",
        "| label | source | images | named right | kept at 0.5 |",
        "|---|---|---|---|---|",
        *(
            f"| {row['label']} | {row['source']} | {row['images']:,} | {row['named_right']:.2f} |"
            f" {row['kept_at_0.5']:.2f} |"
            for row in report.by_source
        ),
    ]


def _data(training: Sequence[Sample], held_out: Sequence[Sample]) -> list[str]:
    images = [Counter(sample.label for sample in part) for part in (training, held_out)]
    sources: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in training:
        sources[sample.label][sample.source] += 1
    rows = []
    for label in sorted(images[0] | images[1]):
        named = ", ".join(f"{source} {count:,}" for source, count in sources[label].most_common())
        rows.append(f"| {label} | {images[0][label]:,} | {images[1][label]:,} | {named} |")
    return [
        "## Training data",
        "",
        "| label | trained on | held out | sources trained on, images |",
        "|---|---|---|---|",
        *rows,
    ]


def _ranking_row(name: str, ranking: Ranking) -> str:
    return f"| {name} | {_cells(ranking.as_dict().values())} |"


def _cells(figures: Iterable[float | None]) -> str:
    return " | ".join(_figure(figure) for figure in figures)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
