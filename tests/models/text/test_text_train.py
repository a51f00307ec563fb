"""From a folder of texts to weights: what is read, what is made up, what is held out, and that it repeats."""

from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from models.text import Answer, TextClassifier, train
from models.text.corpus import read_corpus
from models.text.generate import Subjects, generate
from models.text.habits import OTHERS, POSTERS
from models.text.train import Judged, Row, clopper_pearson, dropped, folds, thresholds
from models.text.words import KINDS, WORDS

PAGE = """<mediawiki xml:lang="en"><page><title>Heat</title><text>{{{{Infobox film
| name = Heat
| image = Heat {n}.jpg
| alt = Two men
| caption = Theatrical release poster
}}}} See [[Los Angeles]] and [[bank robbery|robbers]].</text></page>
<page><title>Oslo</title><text>[[File:Oslo harbour {n}.jpg|thumb|300px|alt=Boats|The [[harbour]] of Oslo]]
[[File:Play poster {n}.jpg|thumb|A poster]] [[Fichier:Drapeau {n}.svg|20px]]</text></page></mediawiki>"""

FILMS = [
    {
        "title": f"Film number {n}",
        "year": 1950 + n % 70,
        "cast": ["Ada Berg", "Bo Lind"],
        "thumbnail": f"https://upload.wikimedia.org/wikipedia/en/a/ab/Film_{n}.jpg",
        "thumbnail_width": 200,
        "thumbnail_height": 100 if n == 0 else 300,
    }
    for n in range(400)
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of the form that the corpus is read from."""
    folder = tmp_path / "data"
    (folder / "lists").mkdir(parents=True)
    (folder / "dumps").mkdir()
    (folder / "lists" / "films.json.gz").write_bytes(gzip.compress(json.dumps(FILMS).encode()))
    (folder / "dumps" / "enwiki-1.xml.bz2").write_bytes(
        bz2.compress("".join(PAGE.format(n=n) for n in range(60)).encode())
    )
    (folder / "dumps" / "frwiki.xml").write_text(PAGE.format(n=99))
    (folder / "dumps" / "broken.xml.bz2").write_bytes(b"BZh9 no")
    (folder / "lists" / "broken.json").write_bytes(b"[{")
    (folder / "picture.jpg").write_bytes(b"x")
    return folder


def test_read_corpus(data: Path) -> None:
    corpus = read_corpus(data)
    named = {example.url.rpartition("/")[2]: example for example in corpus.examples}
    assert named["Heat_99.jpg"].poster
    assert (named["Heat_99.jpg"].alt, named["Heat_99.jpg"].language) == ("Two men", "fr")
    harbour = named["Oslo_harbour_5.jpg"]
    assert (harbour.poster, harbour.alt, harbour.caption, harbour.source) == (
        False,
        "Boats",
        "The harbour of Oslo",
        "dumps",
    )
    assert named["Drapeau_5.svg"].caption == ""
    assert "Play_poster_5.jpg" not in named  # not the article's own poster, but one
    assert named["Film_1.jpg"].source == "lists"
    assert "Film_0.jpg" not in named  # wider than high
    assert len(corpus.subjects.films) == len(FILMS)
    assert corpus.subjects.phrases["en"] == ["Los Angeles", "bank robbery", "harbour"]


def test_every_language_has_words_for_every_kind() -> None:
    assert all(set(words) == set(KINDS) and all(map(all, words.values())) for words in WORDS.values())
    assert {habit.kind for habit in (*POSTERS, *OTHERS)} == set(KINDS)


def test_made_up_candidates_are_filled_in_and_repeat() -> None:
    subjects = Subjects([("The Third Man", 1949, ("Orson Welles",))])
    made = generate((*POSTERS, *OTHERS), subjects, 2_000, list(WORDS), 3)
    assert made == generate((*POSTERS, *OTHERS), subjects, 2_000, list(WORDS), 3)
    assert not any(set("{}|") & set(each.alt + each.title + each.caption + each.url) for each in made)
    assert {each.language for each in made} == set(WORDS)


def test_folds_share_neither_group_nor_film(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "GENERATED", 300)
    monkeypatch.setattr(train, "MEASURED", 300)
    names = []
    for name, training, held_out in folds(read_corpus(data), 7):
        names.append(name)
        assert held_out
        if name == "habit":
            assert not {each.source for each in held_out} & {each.source for each in training}
        if name == "language":  # what Wikipedia has in English is always trained on
            assert not ({each.language for each in held_out} - {"en"}) & {each.language for each in training}
        assert not {e.work for e in held_out if e.poster} & {e.work for e in training if e.poster}
    assert names == ["source: dumps", "source: lists", *["habit"] * train.FOLDS, *["language"] * train.FOLDS]


def test_training_repeats_byte_for_byte_and_learns(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "GENERATED", 600)
    monkeypatch.setattr(train, "MEASURED", 100)
    monkeypatch.setattr(train, "FOLDS", 2)
    said: list[str] = []
    for name in ("one", "two"):
        report = train.train(data, tmp_path / name, report=said.append)
    for file in ("weights.npz", "training.jsonl", "card.md"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    classifier = TextClassifier(tmp_path / "one" / "weights.npz")
    assert (classifier.surely_not, classifier.likely) == (report.surely_not, report.likely)
    poster = classifier.judge("Heat movie poster", url="https://a.org/posters/heat-movie-poster.jpg")
    logo = classifier.judge("Company logo", url="https://a.org/images/logo.png")
    assert poster.score > 0.8 > 0.2 > logo.score
    assert logo.answer is Answer.SURELY_NOT
    card = (tmp_path / "one" / "card.md").read_text()
    assert all(row.group in card for row in report.rows)
    assert said


def test_thresholds_bind_the_mean_and_every_group_that_is_not_small() -> None:
    rng = np.random.default_rng(0)
    example = generate(POSTERS, Subjects([("Heat", 1995, ())]), 1, ["en"], 0)[0]
    other = generate(OTHERS, Subjects([("Heat", 1995, ())]), 1, ["en"], 0)[0]
    easy = [Judged("easy", example, x) for x in rng.normal(4, 1, 1_000)]
    hard = [Judged("hard", example, x) for x in [-8.0] * 3 + [-5.0] * 5 + [3.0] * 992]
    wordless = [Judged("wordless", example, float("nan"))] * 500
    small = [Judged("small", example, -20.0)]
    others = [Judged("others", other, x) for x in np.linspace(-10, 0, 101)]
    surely_not, likely = thresholds([*easy, *hard, *wordless, *others])
    assert -8 <= surely_not < -5  # 8 of 1,000 may be more than 1 %, 3 are not
    assert likely == pytest.approx(-0.2)
    with pytest.raises(ValueError, match="no threshold"):
        thresholds([*small, *others])  # the mean binds small groups too


def test_intervals() -> None:
    assert clopper_pearson(0, 100) == pytest.approx(0.0362, abs=1e-4)  # 1 - 0.025^(1/100)
    assert clopper_pearson(5, 5) == 1
    rows = [Row(f"habit: {i}", True, 500, 0, share, 0, 0) for i, share in enumerate((0.0, 0.0, 0.0, 0.01))]
    mean = dropped([*rows, Row("habit: few", True, 5, 0, 1.0, 1, 0)])["habit"]
    assert (mean.groups, mean.share, mean.worst) == (4, 0.0025, 0.01)
    assert 0.005 <= mean.upper <= 0.01


def test_the_real_corpus_is_read(real_data: Path) -> None:
    corpus = read_corpus(real_data / "wiki")
    assert sum(example.poster for example in corpus.examples) > 15_000
    assert len({example.language for example in corpus.examples if not example.poster}) > 30
    assert not any("[[" in example.caption + example.alt for example in corpus.examples)
