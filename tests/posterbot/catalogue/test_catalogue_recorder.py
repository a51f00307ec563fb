from __future__ import annotations

import base64
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalogue_records import LABELS, MODEL, POLICY, failed, image, judged, page, policy
from postgres import Cluster
from sqlalchemy import Engine, event, func, select

from posterbot.catalogue import database, schema, writer
from posterbot.catalogue.database import CatalogueError, open_catalogue
from posterbot.catalogue.recorder import BATCH, Recorder
from posterbot.catalogue.records import Claim, Film, Page
from posterbot.catalogue.rows import LONGEST_KEY
from posterbot.reasons import Reason


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def start(engine: Engine) -> Iterator[Callable[[], Recorder]]:
    started: list[Recorder] = []

    def start() -> Recorder:
        started.append(Recorder(engine, spider="posters", arguments={"labels": "poster"}, version="1.2"))
        return started[-1]

    yield start
    for recorder in started:
        recorder.close("test over")


@pytest.fixture
def recorder(start: Callable[[], Recorder]) -> Recorder:
    return start()


def rows(engine: Engine, table: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(schema.metadata.tables[table])).mappings()]


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(schema.metadata.tables[table])) or 0


def done(*futures: Future[Any]) -> list[Any]:
    return [future.result(timeout=20) for future in futures]


def test_run_is_there_at_once_and_ends_with_close(engine: Engine) -> None:
    recorder = Recorder(engine, spider="posters", arguments={"labels": "poster"}, version="1.2")
    (run,) = rows(engine, "runs")
    assert (run["id"], run["spider"], run["arguments"]) == (recorder.run_id, "posters", {"labels": "poster"})
    assert (run["version"], run["finished_at"], run["finish_reason"]) == ("1.2", None, None)
    recorder.close("finished")
    recorder.close("a second time")
    (run,) = rows(engine, "runs")
    assert run["finish_reason"] == "finished"
    assert run["started_at"] <= run["finished_at"] <= datetime.now(UTC)


def test_close_writes_what_is_queued(engine: Engine, recorder: Recorder) -> None:
    futures = [recorder.outcome(judged(number, page())) for number in range(2 * BATCH + 10)]
    recorder.close("finished")
    assert all(future.done() for future in futures)
    assert count(engine, "candidates") == len(futures)
    with pytest.raises(RuntimeError, match="closed"):
        recorder.page(page())


def test_an_outcome_brings_all_it_names(engine: Engine, recorder: Recorder) -> None:
    film = Film("Movie", "Night Train", 1959, ("Drama",), ("J. Kawalerowicz",), ("https://imdb.example/1",))
    seen = page(1, films=(film,), data_uris=3, depth=2, referrer="https://site.example/")
    outcome = judged(
        1, seen, alt="Poster", title="Film", caption="1959", alternatives=("https://images.example/1-small.jpg",)
    )
    done(recorder.outcome(replace(outcome, declared_width=300, etag='"x"', found_by="srcset")))
    (written,) = rows(engine, "pages")
    assert (written["url"], written["run_id"], written["data_uris"]) == (seen.url, recorder.run_id, 3)
    (candidate,) = rows(engine, "candidates")
    assert (candidate["alt"], candidate["title"], candidate["caption"]) == ("Poster", "Film", "1959")
    assert candidate["alternatives"] == ["https://images.example/1-small.jpg"]
    assert (candidate["declared_width"], candidate["etag"], candidate["reason"]) == (300, '"x"', None)
    assert candidate["fetched_at"] == outcome.at
    (score,) = rows(engine, "scores")
    np.testing.assert_array_equal(score["vector"], outcome.scores)
    (model,) = rows(engine, "models")
    assert (model["hash"], model["labels"]) == (MODEL.hash, list(LABELS))
    (verdict,) = rows(engine, "verdicts")
    assert (verdict["keep"], verdict["reason"], verdict["label"], verdict["score"]) == (True, "relevant", "poster", 0.9)
    (written_film,) = rows(engine, "film_statements")
    assert (written_film["name"], written_film["genres"], written_film["year"]) == ("Night Train", ["Drama"], 1959)
    assert {row["name"] for row in rows(engine, "sources")} == {"site.example", "images.example"}


def test_a_failure_has_no_image(engine: Engine, recorder: Recorder) -> None:
    done(recorder.outcome(failed(1, page(), Reason.TIMEOUT)))
    (candidate,) = rows(engine, "candidates")
    assert (candidate["image_id"], candidate["reason"]) == (None, "timeout")
    assert count(engine, "images") == 0


def test_page_and_films_are_written_once(engine: Engine, recorder: Recorder) -> None:
    seen = page(films=(Film("Movie", "One"), Film("Movie", "Two")))
    done(recorder.page(seen))
    done(recorder.page(seen), recorder.page(seen), recorder.outcome(failed(1, seen)))
    recorder._writer.forget()
    done(recorder.page(seen), recorder.outcome(failed(2, seen)))
    assert (count(engine, "pages"), count(engine, "film_statements")) == (1, 2)


def test_the_next_run_has_its_own_pages_and_the_same_images(engine: Engine, start: Callable[[], Recorder]) -> None:
    first, second = start(), start()
    done(first.outcome(judged(1, page())), second.outcome(judged(1, page())))
    counts = {
        table: count(engine, table) for table in ("pages", "candidates", "policies", "images", "scores", "models")
    }
    assert counts == {"pages": 2, "candidates": 2, "policies": 2, "images": 1, "scores": 1, "models": 1}


def test_equal_policies_are_one_row(engine: Engine, recorder: Recorder) -> None:
    again, other = replace(POLICY), policy("poster", "photo")
    first, second = done(recorder.policy(POLICY), recorder.policy(again))
    recorder._writer.forget()
    third, different = done(recorder.policy(POLICY), recorder.policy(other))
    assert first == second == third != different
    changed = replace(POLICY, threshold=0.7)
    assert done(recorder.policy(changed)) != [first]
    assert done(recorder.policy(replace(changed, top=5))) != done(recorder.policy(changed))
    done(recorder.outcome(judged(1, page(), policy=again)))
    written = [(row["labels"], row["threshold"], row["top"]) for row in rows(engine, "policies")]
    assert written == [
        (["poster"], 0.5, None),
        (["poster", "photo"], 0.5, None),
        (["poster"], 0.7, None),
        (["poster"], 0.7, 5),
    ]
    assert [row["policy_id"] for row in rows(engine, "verdicts")] == [first]


def test_same_page_and_url_is_one_candidate_with_the_latest_facts(engine: Engine, recorder: Recorder) -> None:
    done(recorder.outcome(failed(1, page(), "timeout")))
    done(recorder.outcome(failed(1, page(), "http_404", alt="now with alt")))
    (candidate,) = rows(engine, "candidates")
    assert (candidate["reason"], candidate["alt"]) == ("http_404", "now with alt")
    done(recorder.outcome(judged(1, page())), recorder.outcome(judged(1, page(), alt="last")))
    (candidate,) = rows(engine, "candidates")
    assert (candidate["reason"], candidate["alt"], candidate["image_id"]) == (None, "last", 1)


def test_a_failure_never_replaces_a_picture_nor_dropped_a_kept(engine: Engine, recorder: Recorder) -> None:
    done(recorder.outcome(judged(1, page())))
    done(recorder.outcome(failed(1, page())))
    (candidate,) = rows(engine, "candidates")
    assert (candidate["reason"], candidate["image_id"]) == (None, 1)
    done(recorder.outcome(judged(1, page(), keep=False)))
    (verdict,) = rows(engine, "verdicts")
    assert (verdict["keep"], verdict["reason"]) == (True, "relevant")


def test_an_image_seen_again_gains_facts_and_loses_none(engine: Engine, recorder: Recorder) -> None:
    first = judged(1, page(1), keep=False)
    done(recorder.outcome(first))
    full = image(1, phash="0123456789abcdef", path="aa/bb/x.jpg")
    # Whether the number is remembered makes no difference.
    for forgotten in (False, True):
        if forgotten:
            recorder._writer.forget()
        done(recorder.outcome(judged(1, page(2), image=full)), recorder.outcome(judged(1, page(3))))
        done(recorder.outcome(judged(1, page(4), image=replace(full, path="other.jpg"))))
        (row,) = rows(engine, "images")
        assert (row["phash"], row["path"], row["first_seen_at"]) == (full.phash, "aa/bb/x.jpg", first.at)


def test_a_new_fact_does_not_take_an_old_one_away(engine: Engine, recorder: Recorder) -> None:
    done(recorder.outcome(judged(1, page(1), image=image(1, path="aa/bb/x.jpg"))))
    done(recorder.outcome(judged(1, page(2), image=image(1, phash="0123456789abcdef"))))
    done(recorder.outcome(judged(2, page(1), image=image(2, phash="fedcba9876543210"))))
    done(recorder.outcome(judged(2, page(2), image=image(2, path="cc/dd/y.jpg"))))
    assert [(row["phash"], row["path"]) for row in rows(engine, "images")] == [
        ("0123456789abcdef", "aa/bb/x.jpg"),
        ("fedcba9876543210", "cc/dd/y.jpg"),
    ]


@pytest.mark.parametrize("size", [1, 3])
def test_memory_is_bounded_and_only_a_short_cut(engine: Engine, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer.Writer.__init__, "__defaults__", (size,))
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    films = (Film("Movie", "One"),)
    outcomes = [
        judged(n % 7, page(n % 5, films=films), policy=policy("poster") if n % 2 else POLICY) for n in range(60)
    ]
    done(*map(recorder.outcome, outcomes + outcomes))
    recorder.close("finished")
    assert {
        table: count(engine, table) for table in ("pages", "film_statements", "images", "candidates", "policies")
    } == {
        "pages": 5,
        "film_statements": 5,
        "images": 7,
        "candidates": 35,
        "policies": 31,
    }
    for numbers in (recorder._writer._sources, recorder._writer._pages, recorder._writer._images):
        assert len(numbers._numbers) <= size


def test_the_page_of_a_list_is_its_own_source(engine: Engine, recorder: Recorder) -> None:
    listed = Page("posters.jsonl")
    done(recorder.outcome(failed(1, listed)), recorder.outcome(replace(failed(2, listed, "bad_url"), url="http://[::")))
    names = {row["id"]: row["name"] for row in rows(engine, "sources")}
    assert [names[row["source_id"]] for row in rows(engine, "pages")] == ["posters.jsonl"]
    assert [names[row["source_id"]] for row in rows(engine, "candidates")] == ["images.example", "posters.jsonl"]


def test_hosts_are_lower_case_and_without_port(engine: Engine, recorder: Recorder) -> None:
    done(recorder.page(Page("https://user@Site.Example:8443/x")))
    assert [row["name"] for row in rows(engine, "sources")] == ["site.example"]


def test_hostile_text_and_numbers_are_stored_as_far_as_possible(engine: Engine, recorder: Recorder) -> None:
    film = Film("Movie", "half a pair \ud800", 10**30, ("\udfff",), ("a\0b",))
    seen = Page("https://site.example/\ud800\0", title="NUL\0 in it", films=(film,))
    done(recorder.outcome(failed(1, seen, alt="\ud83d\0é", declared_width=10**20, declared_height=-1)))
    (candidate,) = rows(engine, "candidates")
    assert (candidate["alt"], candidate["declared_width"], candidate["declared_height"]) == ("?é", None, None)
    assert [row["title"] for row in rows(engine, "pages")] == ["NUL in it"]
    (written,) = rows(engine, "film_statements")
    assert (written["name"], written["year"], written["genres"]) == ("half a pair ?", None, ["?"])


def test_a_batch_is_one_transaction_of_few_statements(engine: Engine, recorder: Recorder) -> None:
    commits: list[Any] = []
    statements: list[str] = []
    event.listen(engine, "commit", commits.append)
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    done(*(recorder.outcome(judged(number, page(number))) for number in range(BATCH)))
    assert len(commits) <= 3
    assert len(statements) <= 20 * len(commits)


def test_futures_are_resolved_after_the_commit(engine: Engine, recorder: Recorder) -> None:
    found: list[int] = []
    seen = threading.Event()

    def look(future: Future[None]) -> None:
        found.append(count(engine, "candidates"))
        seen.set()

    recorder.outcome(failed(1, page())).add_done_callback(look)
    assert seen.wait(20)
    assert found == [1]


def test_futures_cannot_be_cancelled(engine: Engine, recorder: Recorder) -> None:
    future = recorder.outcome(failed(1, page()))
    assert not future.cancel()
    done(future)


def test_one_bad_record_does_not_take_its_batch_along(engine: Engine, recorder: Recorder) -> None:
    bad = judged(2, page(2), http_status=object())
    futures = [recorder.outcome(outcome) for outcome in (judged(1, page(1)), bad, judged(3, page(3)))]
    wait(futures, 20)
    assert [type(future.exception()) for future in futures] == [type(None), CatalogueError, type(None)]
    assert [row["url"] for row in rows(engine, "pages")] == [page(1).url, page(3).url]
    assert count(engine, "images") == 2
    done(recorder.outcome(judged(4, page(4))))


def test_what_was_rolled_back_is_not_remembered(engine: Engine, recorder: Recorder) -> None:
    assert recorder.outcome(judged(1, page(1), http_status=object())).exception(20) is not None
    done(recorder.outcome(judged(1, page(1))))
    assert (count(engine, "images"), count(engine, "pages"), count(engine, "policies")) == (1, 1, 1)


# Little room: small records go in, a long title does not.
SHRINK = {
    "sqlite": "PRAGMA max_page_count = 60",
    "postgresql": """
        CREATE FUNCTION full_disk() RETURNS trigger AS $$
        BEGIN
            RAISE 'could not extend file "base/5/16384": No space left on device' USING ERRCODE = 'disk_full';
        END $$ LANGUAGE plpgsql;
        CREATE TRIGGER full_disk BEFORE INSERT ON pages FOR EACH ROW WHEN (length(new.title) > 1000)
            EXECUTE FUNCTION full_disk()
    """,
}
GROW = {"sqlite": "PRAGMA max_page_count = 1000000", "postgresql": "DROP TRIGGER full_disk ON pages"}


def test_full_disk_fails_what_cannot_be_written_and_goes_on(engine: Engine, recorder: Recorder) -> None:
    def run(statements: dict[str, str]) -> None:
        engine.dispose()  # SQLite counts pages for each connection on its own
        with engine.begin() as connection:
            connection.exec_driver_sql(statements[engine.dialect.name])

    run(SHRINK)
    huge = recorder.page(replace(page(1), title="x" * 1_000_000))
    small = recorder.page(page(2))
    error = huge.exception(20)
    assert isinstance(error, CatalogueError)
    assert "disk is full; free some space" in str(error)
    done(small)
    run(GROW)
    done(recorder.page(replace(page(1), title="x" * 1_000_000)))
    assert count(engine, "pages") == 2


def test_a_lock_held_too_long_fails_the_batch_once_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    with sqlite3.connect(tmp_path / "catalogue.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        futures = [recorder.page(page(number)) for number in range(100)]
        # Were each record tried on its own, this would take 20 s.
        wait(futures, 5)
        assert {str(future.exception(0)) for future in futures} == {
            f"catalogue {tmp_path}/catalogue.db: another process held the lock for more than 30 s; wait for it to end"
        }
        other.execute("ROLLBACK")
    done(recorder.page(page(1)))
    recorder.close("finished")
    assert count(engine, "pages") == 1


def test_run_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    with sqlite3.connect(tmp_path / "catalogue.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CatalogueError, match="held the lock"):
            Recorder(engine, spider="posters", arguments={}, version="1")


@pytest.mark.parametrize(
    "facts",
    [
        {"image": None},
        {"policy": None},
        {"verdict_reason": None},
        {"scores": np.zeros(2, "<f4")},
        {"scores": np.zeros((1, 3), "<f4")},
    ],
)
def test_outcomes_that_contradict_themselves_are_refused(engine: Engine, recorder: Recorder, facts: Any) -> None:
    with pytest.raises(ValueError, match=r"outcome of https://images\.example/1\.jpg"):
        recorder.outcome(judged(1, page(), **facts))


def test_two_recorders_write_the_same_images_at_once(engine: Engine, start: Callable[[], Recorder]) -> None:
    recorders = [start(), start()]
    futures = [
        recorder.outcome(judged(number % 50, page(number % 9))) for number in range(600) for recorder in recorders
    ]
    done(*futures)
    assert (count(engine, "images"), count(engine, "sources"), count(engine, "scores")) == (50, 2, 50)
    assert count(engine, "candidates") == 2 * 450


def test_two_workers_of_one_run_write_the_same_pages_at_once(engine: Engine) -> None:
    recorders = [Recorder(engine, spider="posters", arguments={}, version="1", job="one") for _ in range(2)]
    assert recorders[0].run_id == recorders[1].run_id
    pages = [page(number, films=(Film("Movie", "One"),)) for number in range(40)]
    orders = [range(400), range(399, -1, -1)]
    futures = [
        recorder.outcome(judged(order[place], pages[order[place] % 40]))
        for place in range(400)
        for recorder, order in zip(recorders, orders, strict=True)
    ]
    done(*futures)
    for recorder in recorders:
        recorder.close("finished")
    names = ("runs", "pages", "film_statements", "images", "candidates", "policies", "verdicts")
    assert {name: count(engine, name) for name in names} == {
        "runs": 1,
        "pages": 40,
        "film_statements": 40,
        "images": 400,
        "candidates": 400,
        "policies": 1,
        "verdicts": 400,
    }


def test_urls_without_end_are_stored(engine: Engine, recorder: Recorder) -> None:
    def endless(host: str, end: str) -> str:
        # All kinds of characters: PostgreSQL would make a short one of a few that repeat.
        return f"https://{host}/" + base64.urlsafe_b64encode(np.random.default_rng(0).bytes(6000)).decode() + end

    first, second = Page(endless("a.example", "1")), Page(endless("a.example", "2"))
    found = [
        replace(failed(1, first), url=endless("b.example", end), claim=Claim("films.jsonl", "enwiki", "Film"))
        for end in "12"
    ]
    done(recorder.page(second), *map(recorder.outcome, found + found))
    recorder._writer.forget()
    done(*map(recorder.outcome, found))
    assert (count(engine, "pages"), count(engine, "candidates"), count(engine, "claims")) == (2, 2, 2)
    for row in rows(engine, "pages") + rows(engine, "candidates"):
        assert re.fullmatch(r"https://[ab]\.example/.{2200,}…[0-9a-f]{64}", row["url"])
        assert len(row["url"].encode()) <= LONGEST_KEY
    assert {row["name"] for row in rows(engine, "sources")} == {"a.example", "b.example"}


def test_a_restarted_server_costs_nothing_but_time(postgres: Cluster, postgres_url: str) -> None:
    engine = open_catalogue(postgres_url)
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    futures: list[Future[None]] = []
    for mode in ("immediate", "fast"):
        futures += [recorder.outcome(judged(number, page(number % 9))) for number in range(300)]
        futures[-300].result(20)  # it is in the middle of it
        postgres.stop(mode)
        futures += [recorder.outcome(judged(number, page(number % 9))) for number in range(300, 400)]
        postgres.start()
        done(*futures)
    recorder.close("finished")
    assert (count(engine, "pages"), count(engine, "images"), count(engine, "candidates")) == (9, 400, 400)
    engine.dispose()
