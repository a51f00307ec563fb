"""What pages of images ask a catalogue, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from catalogue.catalogue_records import LABELS, POLICY, image, judged, page, policy
from sqlalchemy import Engine

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.gallery import (
    ALL,
    DROPPED,
    HIGHEST,
    KEPT,
    LOWEST,
    UNSURE,
    Filter,
    chosen,
    first,
    host_number,
    hosts_known,
    labels_known,
    near_threshold,
    tiles,
)
from posterbot.catalogue.one_image import one_image, picture_path
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Outcome
from posterbot.catalogue.to_review import asked_about, other_labels, progress, verdict_of
from posterbot.review.answers import record

STRICT = policy(threshold=0.95)


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    opened = open_catalogue(catalogue_url)
    recorder = Recorder(opened, spider="posters", arguments={}, version="1")
    outcomes: list[Outcome] = [
        judged("a", page(1), alt="Metropolis, 1927"),
        judged("b", page(2), keep=False),
        judged("c", page(3), score=0.6, label="poster"),
        Outcome(page(4), "https://images.example/d.png", "img", reason="too_small", image=image("d")),
    ]
    for outcome in outcomes:
        recorder.outcome(outcome).result()
    # Judged again by a stricter policy: that verdict holds.
    recorder.outcome(judged("a", page(5), keep=False, policy=STRICT, score=0.9, label="poster")).result()
    recorder.close("finished")
    yield opened
    opened.dispose()


def names(engine: Engine, asked: Filter) -> str:
    """The images that a filter shows, by letter, in order."""
    known = {image(letter).sha256: letter for letter in "abcd"}
    numbers = chosen(engine, asked).shown(asked.show)
    told = "".join(known[tile.sha256] for tile in tiles(engine, numbers.tolist()) if tile is not None)
    assert told == "".join(known[tile.sha256] for tile in first(engine, asked, 9))
    return told


def test_filters(engine: Engine) -> None:
    for asked, expected in (
        (Filter(), "dcba"),
        (Filter(KEPT), "c"),
        (Filter(DROPPED), "dba"),
        (Filter(UNSURE), "ca"),
        (Filter(order=HIGHEST), "acbd"),
        (Filter(order=LOWEST), "bcad"),
        (Filter(label="poster"), "ca"),
        (Filter(low=0.6, high=0.9), "ca"),
        (Filter(film="metropolis"), "a"),
        (Filter(reason="too_small"), "d"),
        (Filter(host="images.example"), "dcba"),
        (Filter(host="site.example"), ""),
    ):
        assert names(engine, asked) == expected, asked
    assert chosen(engine, Filter()).counts() == {ALL: 4, KEPT: 1, DROPPED: 3, UNSURE: 2}


def test_what_can_be_asked_for(engine: Engine) -> None:
    assert labels_known(engine) == list(LABELS)
    assert "images.example" in hosts_known(engine)
    assert host_number(engine, "nowhere.example") is None


def test_one_image(engine: Engine) -> None:
    one = one_image(engine, image("a").sha256)
    assert [(verdict.number, verdict.keep) for verdict in one.verdicts] == [(2, False), (1, True)]
    assert (one.sightings, one.kept, one.name) == (2, False, "Metropolis, 1927")
    assert [label for label, _, wanted in one.scores if wanted] == ["poster"]
    assert picture_path(engine, image("d").sha256) is None
    with pytest.raises(LookupError):
        one_image(engine, "f" * 64)


def test_reviews(engine: Engine) -> None:
    sha256 = image("c").sha256
    assert asked_about(engine, [sha256, "f" * 64])[sha256].wanted == POLICY.labels
    assert other_labels(engine)[0] == ["poster"]
    assert set(other_labels(engine)[1]) == set(LABELS) - {"poster"}
    for answer, picked, stratum in (("skip", "unsure", None), ("yes", "audit", "kept"), ("no", "audit", "kept")):
        record(engine, sha256, answer, picked=picked, stratum=stratum, reviewer="anna")
    assert (progress(engine).answers, progress(engine).audits) == (1, 1)
    told = verdict_of(engine, sha256)
    assert told is not None
    assert (told.kept, told.answers) == (True, 3)
    assert [review.answer for review in one_image(engine, sha256).reviews] == ["no", "yes", "skip"]


def test_near_a_threshold_is_near_in_odds() -> None:
    for threshold in (0.01, 0.5, 0.9, 0.99):
        low, high = near_threshold(threshold)
        assert 0 < low < threshold < high < 1
        assert low / (1 - low) * high / (1 - high) == pytest.approx((threshold / (1 - threshold)) ** 2)
