"""The past judged again is what the crawl would have judged, on both databases; what is interrupted is finished."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalogue_records import LABELS, MODEL, failed, image, judged, page
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, update

from models.quality import Quality
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.policies import REJUDGE
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Film, Model, Page, Policy
from posterbot.catalogue.schema import images, policies, runs, scores, verdicts, workers
from posterbot.filters.quality import good_enough
from posterbot.filters.relevance import judge
from posterbot.rejudge import judge_past
from posterbot.rejudge.judge_all import judge_all
from posterbot.rejudge.rejudge import rejudge, rejudge_with
from posterbot.steering.labels import PolicyError

NUMBER = 60


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Engine]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield engine
    engine.dispose()


def facts(seed: int = 0) -> tuple[np.ndarray, list[tuple[float, float, float]]]:
    chance = np.random.default_rng(seed)
    table = chance.dirichlet([0.5] * len(LABELS), NUMBER).astype("<f4")
    quality = [
        (float(a), float(b), float(c))
        for a, b, c in zip(
            chance.gamma(1, 400, NUMBER), chance.gamma(2, 15, NUMBER), chance.uniform(0, 8, NUMBER), strict=True
        )
    ]
    return table, quality


def verdict_of(table: np.ndarray, measured: tuple[float, float, float] | None, policy: Policy) -> tuple[Any, ...]:
    """As ``pipelines/looking.py`` has it."""
    verdict = judge(table, policy)
    keep, reason = verdict.keep, verdict.reason
    if keep and measured is not None:
        good, why = good_enough(Quality(*measured))
        if not good:
            keep, reason = False, why
    return keep, str(reason), verdict.label, verdict.score


def crawl(engine: Engine, policy: Policy, number: int = NUMBER) -> int:
    table, quality = facts()
    recorder = Recorder(engine, spider="posters", arguments={}, version="1", job="job")
    written = []
    for place in range(number):
        keep, reason, label, score = verdict_of(table[place], quality[place], policy)
        picture = image(place, quality=quality[place], path=f"{place}.jpg" if keep else None)
        written.append(
            recorder.outcome(
                judged(
                    place,
                    page(place % 7),
                    keep,
                    image=picture,
                    scores=table[place],
                    policy=policy,
                    verdict_reason=reason,
                    label=label,
                    score=score,
                )
            )
        )
    recorder.close("finished")
    assert [one.result() for one in written] == [None] * number
    return recorder.run_id


def newest(engine: Engine) -> dict[Any, tuple[Any, ...]]:
    """Name of the image → policy, keep, reason, label and score of its newest verdict."""
    names = {image(name).sha256: name for name in (*range(NUMBER), "small", "known", "shared", "new")}
    columns = (verdicts.c[name] for name in ("policy_id", "keep", "reason", "label", "score"))
    with engine.connect() as connection:
        rows = connection.execute(
            select(images.c.sha256, *columns)
            .join(images, images.c.id == verdicts.c.image_id)
            .order_by(verdicts.c.image_id, verdicts.c.policy_id)
        )
        return {names[row.sha256]: tuple(row)[1:] for row in rows}


def all_rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return [connection.execute(select(table).order_by(*table.primary_key)).all() for table in (verdicts, policies)]


@given(st.data())
def test_many_are_judged_as_each_is(data: Any) -> None:
    labels = tuple(f"label {n}" for n in range(data.draw(st.integers(1, 6))))
    cell = st.one_of(st.floats(0, 1, width=32), st.sampled_from([0.0, 1.0, 0.5, 1 / 3]))
    rows = data.draw(st.lists(st.lists(cell, min_size=len(labels), max_size=len(labels)), min_size=1, max_size=8))
    table = np.array(rows, "<f4")
    wanted = tuple(data.draw(st.lists(st.sampled_from(labels), min_size=1, unique=True)))
    threshold = data.draw(st.one_of(st.floats(0, 1), st.sampled_from([float(x) for x in table.ravel()])))
    top = data.draw(st.one_of(st.none(), st.integers(1, len(labels))))
    policy = Policy(wanted, threshold, Model("m", "a" * 64, labels), "anna", "arguments", top=top)
    together = judge_all(table, policy)
    for row, keep, score, best in zip(table, together.keep, together.score, together.best, strict=True):
        alone = judge(row, policy)
        assert (alone.keep, alone.score, alone.label) == (bool(keep), float(score), labels[best])


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"threshold": 0.8}, Policy(("poster",), 0.8, MODEL, "", "")),
        ({"threshold": "0.1"}, Policy(("poster",), 0.1, MODEL, "", "")),
        ({"labels": "photo, logo", "threshold": 0.6}, Policy(("photo", "logo"), 0.6, MODEL, "", "")),
        ({"threshold": 0.1, "top": 1}, Policy(("poster",), 0.1, MODEL, "", "", top=1)),
    ],
)
def test_the_past_is_what_the_crawl_would_have_judged(
    engine: Engine, asked: dict[str, Any], wanted: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge_past, "AT_ONCE", 17)
    monkeypatch.setattr(judge_past, "_ON_SERVER", 17)
    crawl(engine, Policy(("poster",), 0.5, MODEL, "anna", "arguments"))
    before = newest(engine)
    tried = rejudge(engine, author="bob", dry_run=True, **asked)
    assert newest(engine) == before, "a dry run changes nothing"
    done = rejudge(engine, author="bob", **asked)
    table, quality = facts()
    after = newest(engine)
    assert done.policy == 2
    for number in range(NUMBER):
        policy, *verdict = after[number]
        assert policy == 2, number
        assert tuple(verdict) == verdict_of(table[number], quality[number], wanted)
    kept_before, kept_after = ({n for n, row in rows.items() if row[1]} for rows in (before, after))
    assert (done.judged, done.newly_kept, done.newly_dropped) == (
        NUMBER,
        len(kept_after - kept_before),
        len(kept_before - kept_after),
    )
    assert done.to_fetch == done.newly_kept
    assert done.unchanged == NUMBER - done.newly_kept - done.newly_dropped
    assert sum(done.reasons.values()) == done.newly_dropped
    assert (tried.newly_kept, tried.newly_dropped, tried.labels) == (done.newly_kept, done.newly_dropped, done.labels)
    assert [sum(place) for place in zip(*tried.hosts.values(), strict=True)] == [done.newly_kept, done.newly_dropped]
    with engine.connect() as connection:
        row = connection.execute(select(policies).where(policies.c.id == 2)).one()
    assert (tuple(row.labels), row.threshold, row.author, row.origin) == (
        wanted.labels,
        wanted.threshold,
        "bob",
        REJUDGE,
    )


def test_what_the_gates_say_counts_unless_the_crawl_had_none(local: Engine) -> None:
    crawl(local, Policy(("poster",), 0.5, MODEL, "anna", "arguments"))
    table, quality = facts()
    rejudge(local, threshold=0.2, author="bob", quality_gates=False)
    policy = Policy(("poster",), 0.2, MODEL, "", "")
    assert {n: row[1:] for n, row in newest(local).items()} == {
        number: verdict_of(table[number], None, policy) for number in range(NUMBER)
    }
    assert any(not good_enough(Quality(*one))[0] for one in quality)


def test_a_kill_in_the_middle_is_finished_by_the_same_call(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_past, "AT_ONCE", 16)
    monkeypatch.setattr(judge_past, "_ON_SERVER", 16)
    crawl(engine, Policy(("poster",), 0.5, MODEL, "anna", "arguments"))

    def die(done: int, of: int) -> None:
        assert of == NUMBER
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rejudge(engine, threshold=0.8, author="bob", progress=die)
    assert sorted({row[0] for row in newest(engine).values()}) == [1, 2]
    done = rejudge(engine, threshold=0.8, author="bob")
    assert (done.policy, done.judged) == (2, NUMBER - 16)
    assert {row[0] for row in newest(engine).values()} == {2}
    assert rejudge(engine, author="bob").judged == 0, "it is the newest policy by now, and all is judged"


def test_a_newer_verdict_stays_and_a_crawl_that_has_just_made_a_policy_asks_with_it(local: Engine) -> None:
    crawl(local, Policy(("poster",), 0.5, MODEL, "anna", "arguments"))
    rejudge(local, threshold=0.9, author="bob")
    before = newest(local)
    assert rejudge_with(local, 1).judged == 0
    assert newest(local) == before
    assert rejudge_with(local, 2).judged == 0
    with pytest.raises(LookupError, match="no policy 7"):
        rejudge_with(local, 7)


def test_reasons_that_are_no_matter_of_policy_stay(engine: Engine) -> None:
    """Too small, placeholders, old and new, and what could not be fetched."""
    recorder = Recorder(engine, spider="posters", arguments={}, version="1", job="job")
    low, high = np.array([0.3, 0.6, 0.1], "<f4"), np.array([0.9, 0.05, 0.05], "<f4")
    small = judged("small", page(), False, scores=None, verdict_reason="too_small", label=None, score=None)
    known = judged("known", page(), False, scores=high, verdict_reason="placeholder", score=0.9)
    gone = failed("gone", page())
    shared = [
        judged(
            "shared",
            Page(f"https://site.example/{n}", 200, films=(Film("Movie", f"Film {n}"),)),
            False,
            scores=low,
            score=0.3,
            alt=f"Film {n}",
        )
        for n in range(6)
    ]
    for one in [small, known, gone, *shared]:
        recorder.outcome(one).result()
    recorder.close("finished")
    done = rejudge(engine, threshold=0.2, author="bob")
    after = newest(engine)
    assert after["small"][:3] == (1, False, "too_small")
    assert after["known"][:3] == (2, False, "placeholder")
    assert after["shared"][:3] == (2, False, "placeholder"), "it passes for the first time: only now was it asked about"
    assert (done.judged, done.newly_kept, done.to_fetch) == (2, 0, 0)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"labels": "gnome"}, "unknown label 'gnome'.* poster, photo, logo"),
        ({"threshold": "nan"}, "threshold 'nan'"),
        ({"threshold": 1.5}, "threshold 1.5"),
        ({"threshold": "precision=0.9"}, "no curve with this model"),
        ({"top": 9}, "top 9"),
        ({"model": "other"}, "no image here has scores of a model 'other'.*web-images"),
    ],
)
def test_what_cannot_be_changes_nothing(local: Engine, asked: dict[str, Any], said: str) -> None:
    crawl(local, Policy(("poster",), 0.5, MODEL, "anna", "arguments"), 3)
    before = all_rows(local)
    with pytest.raises(PolicyError, match=said):
        rejudge(local, author="bob", **asked)
    assert all_rows(local) == before


def test_an_empty_catalogue_says_so(local: Engine) -> None:
    with pytest.raises(LookupError, match="run a crawl first"):
        rejudge(local, author="bob", threshold=0.5)


def test_images_scored_by_another_model_keep_their_verdicts_and_are_counted(local: Engine) -> None:
    crawl(local, Policy(("poster",), 0.5, MODEL, "anna", "arguments"), 5)
    other = Model("my-head", "b" * 64, ("poster", "stamp"))
    recorder = Recorder(local, spider="posters", arguments={}, version="1", job="job")
    policy = Policy(("stamp",), 0.5, other, "anna", "learn")
    recorder.outcome(judged("new", page(9), scores=np.array([0.1, 0.9], "<f4"), policy=policy)).result()
    recorder.close("finished")
    by_old = rejudge(local, labels="poster", threshold=0.3, model="web-images", author="bob")
    assert (by_old.judged, by_old.without_scores) == (5, 1)
    with pytest.raises(PolicyError, match="unknown label 'photo'"):
        rejudge(local, labels="photo", model="b" * 12, author="bob")
    with local.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(scores)) == 6


def test_the_policy_belongs_to_the_run_that_somebody_works_on(local: Engine) -> None:
    crawl(local, Policy(("poster",), 0.5, MODEL, "anna", "arguments"), 2)
    with local.begin() as connection:
        connection.execute(update(runs).values(job="one"))
    crawl(local, Policy(("poster",), 0.5, MODEL, "anna", "arguments"), 2)
    with local.begin() as connection:
        row = {"run_id": 1, "machine": "m", "pid": 1, "born": "", "beat": 0, "started_at": judged("x", page()).at}
        connection.execute(workers.insert().values(row))
    done = rejudge(local, threshold=0.9, author="bob")
    with local.connect() as connection:
        assert connection.scalar(select(policies.c.run_id).where(policies.c.id == done.policy)) == 1
