from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from catalogue_records import LABELS, POLICY, failed, image, judged, page, policy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.queries import funnel, kept_images, last_run, sightings
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Claim, Film, Outcome
from posterbot.catalogue.schema import metadata


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


def record(engine: Engine, *outcomes: Outcome, finish: str = "finished") -> int:
    """One run; each outcome is committed before the next."""
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    for outcome in outcomes:
        recorder.outcome(outcome).result(timeout=20)
    recorder.close(finish)
    return recorder.run_id


def test_an_empty_catalogue(engine: Engine) -> None:
    counts = funnel(engine)
    assert (counts.candidates, counts.kept, counts.images, counts.bytes, counts.reasons) == (0, 0, 0, 0, {})
    assert list(sightings(engine)) == list(kept_images(engine)) == []
    assert last_run(engine) is None


def test_the_funnel_counts_each_stage(engine: Engine) -> None:
    first, second = page(1, data_uris=2), page(2, data_uris=1)
    number = record(
        engine,
        judged("a", first, image=image("a", bytes=10)),
        judged("a", second, image=image("a", bytes=10)),
        judged("b", first, keep=False, image=image("b", bytes=5)),
        judged("small", first, keep=False, scores=None, label=None, score=None, verdict_reason="too_small"),
        failed("c", first, "http_404", http_status=404),
        failed("d", first, "html", http_status=200),
        failed("e", second, "http_404", http_status=404),
    )
    counts = funnel(engine, number)
    assert (counts.pages, counts.data_uris, counts.candidates, counts.fetched, counts.scored) == (2, 3, 7, 5, 3)
    assert (counts.kept, counts.dropped, counts.images, counts.kept_images) == (2, 5, 3, 1)
    assert (counts.bytes, counts.kept_bytes) == (1015, 10)
    assert list(counts.reasons.items()) == [("http_404", 2), ("html", 1), ("not_relevant", 1), ("too_small", 1)]
    assert [(c.name, c.candidates, c.kept) for c in counts.labels] == [("poster", 2, 2), ("photo", 1, 0)]
    assert [(c.name, c.candidates, c.kept) for c in counts.hosts] == [("images.example", 7, 2)]
    (written,) = counts.policies
    assert (written.labels, written.threshold, written.model, written.author) == (
        POLICY.labels,
        0.5,
        "web-images",
        "anna",
    )
    assert [(run.number, run.finish_reason) for run in counts.runs] == [(number, "finished")]


@pytest.mark.parametrize(
    ("threshold", "top", "rule"), [(0.5, None, "0.5"), (0.25, 5, "0.25, top 5"), (0.0, 1, "top 1")]
)
def test_a_policy_says_its_rule(engine: Engine, threshold: float, top: int | None, rule: str) -> None:
    record(engine, judged(1, page(), policy=replace(POLICY, threshold=threshold, top=top)))
    (written,) = funnel(engine).policies
    assert (written.threshold, written.top, written.rule) == (threshold, top, rule)


def test_only_the_top_hosts_are_named(engine: Engine) -> None:
    outcomes = [
        Outcome(page(), f"https://h{number % 3}.example/{number}.jpg", "img", reason="timeout") for number in range(5)
    ]
    record(engine, *outcomes)
    counts = funnel(engine, hosts=2)
    assert [(host.name, host.candidates) for host in counts.hosts] == [("h0.example", 2), ("h1.example", 2)]
    assert counts.host_count == 3


def test_runs_are_counted_apart(engine: Engine) -> None:
    first = record(engine, judged("a", page()))
    second = record(engine, judged("a", page()), failed("b", page()))
    assert [funnel(engine, run).candidates for run in (first, second, None)] == [1, 2, 3]
    assert [len(list(sightings(engine, run=run))) for run in (first, second, None)] == [1, 2, 3]
    assert [len(list(kept_images(engine, run))) for run in (first, second, None)] == [1, 1, 1]
    assert len(funnel(engine).runs) == 2
    assert last_run(engine) == second


@pytest.mark.parametrize(
    "question", [funnel, lambda engine, run: list(sightings(engine, run=run)), lambda *of: list(kept_images(*of))]
)
def test_unknown_runs_are_told(engine: Engine, question: object) -> None:
    with pytest.raises(LookupError, match="no run 7; there is none yet"):
        question(engine, 7)  # type: ignore[operator]
    record(engine)
    with pytest.raises(LookupError, match="no run 7; the newest is 1"):
        question(engine, 7)  # type: ignore[operator]


def test_a_sighting_tells_all(engine: Engine) -> None:
    facts = image("a", phash="0123456789abcdef", path="aa/bb/a.jpg")
    seen = page(films=(Film("Movie", "Night Train"),))
    outcome = judged("a", seen, image=facts, alt="Poster", title="T", scores=np.array([0.9, 0.06, 0.04], "<f4"))
    number = record(engine, outcome)
    (found,) = sightings(engine)
    assert (found.url, found.page_url, found.host) == (outcome.url, seen.url, "images.example")
    assert (found.alt, found.title, found.film) == ("Poster", "T", "Night Train")
    assert (found.sha256, found.width, found.height, found.bytes) == (facts.sha256, 600, 900, 1000)
    assert (found.phash, found.path, found.model, found.run) == (facts.phash, facts.path, "web-images", number)
    assert found.scores == dict(zip(LABELS, (0.9, 0.06, 0.04), strict=True))
    assert (found.label, found.score, found.verdict, found.reason) == ("poster", 0.9, "kept", "relevant")
    assert found.policy == 1


def test_a_sighting_without_picture_is_dropped_for_its_own_reason(engine: Engine) -> None:
    record(engine, failed("a", page(), "robots_txt"))
    (found,) = sightings(engine)
    assert (found.verdict, found.reason, found.sha256, found.scores, found.policy) == (
        "dropped",
        "robots_txt",
        None,
        {},
        None,
    )


def test_a_sightings_own_reason_comes_before_its_images_verdict(engine: Engine) -> None:
    record(engine, judged("a", page(1)), judged("a", page(2), reason="store_failed"))
    assert [(found.verdict, found.reason) for found in sightings(engine)] == [
        ("kept", "relevant"),
        ("dropped", "store_failed"),
    ]
    assert (funnel(engine).kept, funnel(engine).reasons) == (1, {"store_failed": 1})


def test_the_newest_policy_decides_everywhere(engine: Engine) -> None:
    stricter = policy(threshold=0.95)
    record(engine, judged("a", page(1)), judged("b", page(1)))
    run = record(engine, judged("a", page(2), keep=False, policy=stricter))
    assert [(found.verdict, found.policy) for found in sightings(engine)] == [
        ("dropped", 2),
        ("kept", 1),
        ("dropped", 2),
    ]
    assert [found.url for found in kept_images(engine)] == ["https://images.example/b.jpg"]
    assert (funnel(engine, 1).kept, funnel(engine, run).kept, funnel(engine).kept_images) == (1, 0, 1)


def test_filters_and_limit(engine: Engine) -> None:
    record(
        engine,
        judged("a", page()),
        judged("b", page(), keep=False),
        failed("c", page(), "timeout"),
        failed("d", page(), "timeout"),
    )

    def names(**only: object) -> str:
        return "".join(found.url[-5] for found in sightings(engine, **only))  # type: ignore[arg-type]

    assert names() == "abcd"
    assert names(verdict="kept") == "a"
    assert names(verdict="dropped") == "bcd"
    assert names(reason="timeout") == "cd"
    assert names(reason="relevant") == "a"
    assert names(reason="relevant", verdict="dropped") == ""
    assert names(verdict="dropped", limit=2) == "bc"


def test_films_name_only_pages_of_one_film(engine: Engine) -> None:
    two = (Film("Movie", "One"), Film("Movie", "Two"))
    record(engine, judged("a", page(1, films=two)), judged("b", page(2, films=two[:1])), judged("c", page(3)))
    assert [found.film for found in sightings(engine)] == [None, "One", None]


CLAIM = Claim("file:///films.jsonl", "enwiki", "Night Train", 12, 3_456_789_012, year=1968, genres=("Drama", "War"))


def test_what_a_list_says_is_kept(engine: Engine) -> None:
    two = (Film("Movie", "One"), Film("Movie", "Two"))
    record(
        engine, judged("a", page(1), claim=CLAIM), failed("b", page(2, films=two), claim=CLAIM), judged("c", page(1))
    )
    assert [found.claim for found in sightings(engine)] == [CLAIM, CLAIM, None]
    assert [found.film for found in sightings(engine)] == ["Night Train", "Night Train", None]


def test_a_list_may_change_its_mind(engine: Engine) -> None:
    record(engine, judged("a", page(), claim=CLAIM), failed("a", page(), claim=replace(CLAIM, licence="CC0")))
    (found,) = sightings(engine)
    assert (found.reason, found.claim) == ("relevant", replace(CLAIM, licence="CC0"))


def test_pages_and_images_of_a_batch_are_not_mixed_up(engine: Engine) -> None:
    """Two pages with the same two images: what is said of one is not said of the others."""
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    recorder.outcome(judged("a", page(1), claim=CLAIM))
    recorder.outcome(judged("b", page(1)))
    recorder.outcome(judged("a", page(2)))
    recorder.outcome(judged("b", page(2), claim=replace(CLAIM, title="Other")))
    recorder.close("finished")
    assert [found.claim and found.claim.title for found in sightings(engine)] == ["Night Train", None, None, "Other"]


def test_what_no_database_takes_is_left_out_of_a_claim(engine: Engine) -> None:
    record(engine, judged("a", page(), claim=replace(CLAIM, title="a\0\ud800", genres=("\0b",), year=2**40)))
    (found,) = sightings(engine)
    assert found.claim == replace(CLAIM, title="a?", genres=("b",), year=None)


def test_kept_images_are_distinct_and_latest_first(engine: Engine) -> None:
    record(engine, judged("a", page(1)), judged("b", page(1)), judged("a", page(2)), judged("c", page(1), keep=False))
    assert [(found.url[-5], found.page_url) for found in kept_images(engine)] == [
        ("b", page(1).url),
        ("a", page(1).url),
    ]
    assert len(list(kept_images(engine, limit=1))) == 1


def test_a_stream_holds_its_connection_only_while_it_is_read(engine: Engine) -> None:
    record(engine, failed("a", page()), failed("b", page()))
    stream = sightings(engine)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    next(stream)
    assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
    stream.close()  # type: ignore[attr-defined]
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


outcomes = st.builds(
    lambda name, on, kind, wanted: (
        failed(name, page(on), kind)
        if kind in {"timeout", "html"}
        else judged(name, page(on), keep=kind == "kept", policy=wanted)
    ),
    st.integers(0, 4),
    st.integers(0, 3),
    st.sampled_from(["timeout", "html", "kept", "dropped"]),
    st.sampled_from([POLICY, policy("photo")]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crawls=st.lists(st.lists(outcomes, max_size=12), min_size=1, max_size=2), of_the_last=st.booleans())
def test_counts_and_lists_agree_whatever_was_recorded(
    engine: Engine, crawls: list[list[Outcome]], of_the_last: bool
) -> None:
    with engine.begin() as connection:  # one catalogue for all examples, as good as new
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    runs = []
    for crawl in crawls:
        recorder = Recorder(engine, spider="posters", arguments={}, version="1")
        for outcome in crawl:
            recorder.outcome(outcome)
        recorder.close("finished")
        runs.append(recorder.run_id)
    run = runs[-1] if of_the_last else None
    counts, listed = funnel(engine, run), list(sightings(engine, run=run))
    kept = [found for found in listed if found.verdict == "kept"]
    dropped = [found for found in listed if found.verdict == "dropped"]
    assert counts.candidates == counts.kept + counts.dropped == len(listed)
    assert (counts.kept, counts.dropped) == (len(kept), len(dropped))
    assert counts.reasons == dict(Counter(found.reason for found in dropped))
    assert all(found.reason for found in listed)
    assert sum(host.candidates for host in counts.hosts) == counts.candidates
    assert sum(host.kept for host in counts.hosts) == counts.kept
    assert {c.name: (c.candidates, c.kept) for c in counts.labels} == {
        label: (number, sum(found.label == label for found in kept))
        for label, number in Counter(found.label for found in listed if found.label).items()
    }
    assert counts.candidates >= counts.fetched >= counts.scored >= counts.kept
    assert counts.scored == sum(bool(found.scores) for found in listed)
    sizes = {found.sha256: found.bytes for found in listed if found.sha256}
    assert (counts.images, counts.bytes) == (len(sizes), sum(size or 0 for size in sizes.values()))
    assert {found.sha256 for found in kept} == {found.sha256 for found in kept_images(engine, run)}
    assert counts.kept_images == len(list(kept_images(engine, run)))
