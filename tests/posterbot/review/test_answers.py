"""What people say is checked, and written with the verdict of that moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reviewed_images import fill, sha256_of, world
from sqlalchemy import Engine, delete, select, update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import candidates, images, reviews, scores, verdicts
from posterbot.rejudge.rejudge import rejudge
from posterbot.review.answers import ReviewError, record
from posterbot.review.truth import truth


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    fill(engine, world(8)[1])
    yield engine
    engine.dispose()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Engine]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    fill(engine, np.array([[0.75, 0.2, 0.05]], "<f4"))
    yield engine
    engine.dispose()


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(reviews).order_by(reviews.c.id)).all())


def test_an_answer_is_kept_with_the_verdict_of_that_moment(engine: Engine) -> None:
    said = {"picked": "asked", "stratum": None, "reviewer": " anna "}
    first = record(engine, sha256_of(1), "yes", **said)
    rejudge(engine, threshold=0.999, author="bob")
    second = record(engine, sha256_of(1), "label", label="stamp_7", **{**said, "picked": "audit", "stratum": "dropped"})
    one, other = rows(engine)
    assert (one.id, other.id) == (first, second)
    assert (one.policy_id, one.label, one.picked, one.stratum, one.reviewer) == (1, None, "asked", None, "anna")
    assert (other.policy_id, other.kept, other.label, other.stratum) == (2, False, "stamp_7", "dropped")
    assert one.score == other.score


GOOD: dict[str, Any] = {"answer": "yes", "picked": "asked", "stratum": None, "reviewer": "anna"}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"sha256": "../../etc/passwd"}, "is not the sha256"),
        ({"sha256": "A" * 64}, "is not the sha256"),
        ({"answer": "maybe"}, "answer 'maybe'"),
        ({"answer": "label"}, "needs a label"),
        ({"answer": "no", "label": "poster"}, "takes no label"),
        ({"answer": "skip", "label": "poster"}, "takes no label"),
        ({"answer": "label", "label": "Not a word!"}, "a word of your own"),
        ({"answer": "label", "label": "x" * 41}, "at most 40"),
        ({"answer": "label", "label": ""}, "a word of your own"),
        ({"label": "photo"}, "wanted are poster"),
        ({"picked": "chance"}, "picked 'chance'"),
        ({"picked": "audit"}, "stratum 'None'"),
        ({"stratum": "kept"}, "stratum 'kept'"),
        ({"picked": "audit", "stratum": "both"}, "stratum 'both'"),
        ({"reviewer": "  "}, "reviewer"),
        ({"reviewer": "a\nb"}, "reviewer"),
        ({"reviewer": "\ud800"}, "reviewer"),
    ],
)
def test_what_makes_no_sense_is_not_written(local: Engine, said: dict[str, Any], why: str) -> None:
    with pytest.raises(ReviewError, match=why):
        record(local, **{"sha256": sha256_of(1), **GOOD, **said})
    assert rows(local) == []


@pytest.mark.parametrize("said", [{"label": "poster"}, {"answer": "label", "label": "logo"}, {"answer": "skip"}])
def test_what_does_is(local: Engine, said: dict[str, Any]) -> None:
    record(local, **{"sha256": sha256_of(1), **GOOD, **said})
    assert len(rows(local)) == 1


def test_an_image_that_is_gone_since_is_said_to_be(local: Engine) -> None:
    with local.begin() as connection:
        for table in (scores, verdicts, candidates):
            connection.execute(delete(table))
        connection.execute(update(images).values(sha256="0" * 64))  # as ``posterbot forget`` leaves it
    with pytest.raises(LookupError, match=f"image {sha256_of(1)[:12]}… is not in the catalogue, or not any more"):
        record(local, sha256_of(1), **GOOD)
    assert rows(local) == []


@pytest.mark.parametrize(
    ("answer", "label", "asked", "wanted", "is_one"),
    [
        ("yes", None, ["poster"], ["poster"], True),
        ("yes", None, ["poster"], ["poster", "flyer"], True),
        ("yes", None, ["poster", "flyer"], ["poster"], None),
        ("yes", "flyer", ["poster", "flyer"], ["poster"], False),
        ("yes", None, ["poster"], ["map"], False),
        ("no", None, ["poster"], ["poster"], False),
        ("no", None, ["poster", "flyer"], ["flyer"], False),
        ("no", None, ["poster"], ["poster", "flyer"], None),
        ("no", None, ["poster"], ["map"], None),
        ("label", "map", ["poster"], ["map"], True),
        ("label", "map", ["poster"], ["poster"], False),
        ("skip", None, ["poster"], ["poster"], None),
    ],
)
def test_an_answer_speaks_of_what_was_asked(
    answer: str, label: str | None, asked: list[str], wanted: list[str], is_one: bool | None
) -> None:
    assert truth(answer, label, asked, wanted) is is_one
