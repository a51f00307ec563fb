"""Real crawls that are steered while images stream in: at the telnet console, and from another process."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, select
from steered import EVERYWHERE, LABELS, Endless, Running, ask, jobs, second_model, until
from telnet_client import Telnet

from posterbot.catalogue.schema import candidates, images, models, policies, scores, verdicts
from posterbot.cli_steer import policies as policies_command
from posterbot.cli_steer import steer
from posterbot.steering import client
from posterbot.steering.client import SteerError

__all__ = ["jobs"]

LATE = timedelta(seconds=5)
"""A change counts within a second where nothing else runs (docs/steering.md); tests run on machines that are busy."""


@pytest.fixture
def site() -> Iterator[Endless]:
    site = Endless(delay=0.5)
    yield site
    site.close()


@pytest.fixture
def crawl(tmp_path: Path, jobs: Path, site: Endless) -> Iterator[Callable[..., Running]]:
    """Start workers of one crawl, which is well under way."""
    started: list[Running] = []

    def start(workers: int = 1) -> list[Running]:
        seen = len(site.asked)
        for _ in range(workers):
            started.append(Running(tmp_path, site.starts, tmp_path / f"log{len(started)}"))
        until(lambda: len(site.asked) > seen + 40)
        until(lambda: len(client.running(f"sqlite:///{tmp_path}/catalogue.db")) == len(started))
        return started

    yield start  # type: ignore[misc]
    for worker in started:
        worker.kill()


@dataclass
class Judged:
    """All that a crawl has left."""

    verdicts: list[Any]
    policies: list[Any]

    @classmethod
    def of(cls, folder: Path) -> Judged:
        def read(connection: Connection) -> Judged:
            tables = candidates.join(images).outerjoin(verdicts, verdicts.c.image_id == images.c.id)
            tables = tables.outerjoin(policies, policies.c.id == verdicts.c.policy_id).outerjoin(
                scores, (scores.c.image_id == images.c.id) & (scores.c.model_id == policies.c.model_id)
            )
            columns = (candidates.c.url, candidates.c.fetched_at, verdicts.c.policy_id, verdicts.c.keep)
            rows = select(*columns, verdicts.c.score, scores.c.vector).select_from(tables).order_by(candidates.c.id)
            of_model = select(policies, models.c.name.label("model"), models.c.labels.label("known")).join(models)
            return cls(list(connection.execute(rows)), list(connection.execute(of_model.order_by(policies.c.id))))

        return ask(folder, read)  # type: ignore[return-value]

    def by(self, policy: int) -> set[bool]:
        """Whether it judged the picture that stands on every page, and others."""
        return {row.url.endswith(EVERYWHERE) for row in self.verdicts if row.policy_id == policy}

    def check(self, site: Endless, late: timedelta) -> None:
        """Every image of every page has one verdict, by the policy in force when it was judged, and it is right.

        So long after a change some may still be judged by the policy before.
        """
        once = [row for row in self.verdicts if not row.url.endswith(EVERYWHERE)]
        assert sorted("/" + row.url.rpartition("/")[2] for row in once) == sorted(site.pictures)
        made = {row.id: row for row in self.policies}
        at = [row.at for row in self.policies]
        # Two that were made at once, by two processes, are numbered as they are recorded.
        assert all(after - before > timedelta(seconds=-1) for before, after in pairwise(at))
        ends: dict[int, datetime] = dict(zip(made, [*at[1:], at[-1] + timedelta(days=1)], strict=True))
        for row in self.verdicts:
            policy = made[row.policy_id]
            if not row.url.endswith(EVERYWHERE):  # that was judged anew by each
                assert policy.at <= row.fetched_at < ends[row.policy_id] + late
            named = dict(zip(policy.known, row.vector, strict=True))
            assert abs(row.score - sum(named[label] for label in policy.labels)) < 1e-5
            assert row.keep == (row.score >= policy.threshold)


def test_twenty_changes_at_the_console(tmp_path: Path, site: Endless, crawl: Callable[..., list[Running]]) -> None:
    (worker,) = crawl()
    console = Telnet(worker.telnet_port())
    assert console.say("labels()") == "poster"
    assert console.say('labels("poster, album_cover")') == "poster, album_cover from 0.5 on, by web-images"
    # What is wrong is one line, and changes nothing.
    for typed, said in (
        ('labels("bookcover")', "unknown label 'bookcover': web-images knows album_cover, .*"),
        ("threshold(7)", "threshold 7: give a number between 0 and 1, .*"),
        ('threshold(float("nan"))', "threshold nan: give a number between 0 and 1, .*"),
        ("top(0)", "top 0: give a whole number from 1 to 25, .*"),
        ('spider.labels = "bookcover"', "unknown label 'bookcover': .*"),
        ("spider.threshold = 1", "threshold 1: give a number between 0 and 1, .*"),
        ("spider.top = 0", "top 0: give a whole number .*"),
        ("spider.model = 3", "model 3: give the name of a model, or its path"),
    ):
        assert re.fullmatch(f"PolicyError: {said}; nothing has changed", console.say(typed))
    sent = []
    for n in range(19):
        time.sleep(0.15)
        sent.append(time.time())
        if n % 2:
            console.say(f'spider.labels = "{("card", "art", "poster")[n % 3]}"')
        else:
            console.say(f"threshold({0.02 + n / 100})")
    assert console.say("threshold()") == "0.2"
    assert console.say("status()").startswith(f"run 1 of posters, process {worker.pid}: crawling, for ")
    until(lambda: "\npolicy 21: poster from 0.2 on, by web-images (" in console.say("status()"))  # when it is recorded
    assert console.say("hosts()").splitlines()[0].split()[:3] == ["host", "in", "hand"]
    console.say("policies()")  # answered when it is counted, above the prompt
    assert re.search(r"\n +21 +1 .*\(console\) +poster +0\.2 +web-images +threshold ", console.expect(">>> "))
    assert "unknown" not in console.say("help")

    # No new pages: those in hand are seen through, and it goes on where it was.
    assert console.say("pause()") == "paused: no new pages until resume()"
    (seen,) = client.running(f"sqlite:///{tmp_path}/catalogue.db")
    until(lambda: client.status(seen)["pages_in_hand"] == 0)
    asked = len(site.asked)
    time.sleep(1)
    now = client.status(seen)
    assert (len(site.asked), now["state"], now["images"]) == (asked, "paused", now["candidates"])
    assert now["queued"] > 0
    console.say("resume()")
    until(lambda: len(site.asked) > asked)
    site.ended = True
    assert "'posterbot/spider_errors'" not in worker.end()

    left = Judged.of(tmp_path)
    left.check(site, LATE)
    assert [(row.id, row.origin) for row in left.policies] == [
        (1, "arguments"),
        *((n, "console") for n in range(2, 22)),
    ]
    assert all(
        0 <= row.at.timestamp() - when < LATE.total_seconds() for row, when in zip(left.policies[2:], sent, strict=True)
    )
    assert len({row.policy_id for row in left.verdicts}) > 8


def test_from_another_process_while_two_workers_crawl(
    tmp_path: Path, site: Endless, crawl: Callable[..., list[Running]]
) -> None:
    url = f"sqlite:///{tmp_path}/catalogue.db"
    crawl()

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(steer, [*words, "--catalogue", url])
        assert (done.exit_code, "Traceback" in done.output) == (code, False), done.output
        return done.output.strip()

    def refused(*words: str) -> str:
        said = run(*words, code=1)
        assert len(said.splitlines()) == 1
        return said.removeprefix("posterbot: ")

    def numbers() -> list[int]:
        return [client.status(worker)["policy"]["number"] for worker in (first, second)]

    policy = json.loads(run("--labels", "poster, album_cover", "--json"))["policy"]
    assert (policy["number"], policy["labels"], policy["origin"]) == (2, ["poster", "album_cover"], "steer")
    # Who joins with the arguments of the run asks for nothing new.
    workers = crawl()
    first, second = client.running(url)
    assert [first.pid, second.pid] == [worker.pid for worker in workers]
    assert (first.run, first.spider) == (1, "posters")
    assert numbers() == [2, 2]
    said = workers[1].log.read_text()
    assert "it goes on with policy 2 of " in said
    assert "(steer): poster, album_cover from 0.5 on, by web-images" in said

    wrong = {
        "unknown label 'x': web-images knows album_cover, ": ("--labels", "x"),
        "no label given: web-images knows ": ("--labels", ""),
        "threshold 'nan': give a number between 0 and 1": ("--threshold", "nan"),
        "threshold '0': give": ("--threshold", "0"),
        "threshold '1': give": ("--threshold", "1", "--labels", "card"),
        "threshold '2': give": ("--threshold", "2"),
        "top '26': give a whole number from 1 to 25": ("--top", "26"),
        "no model '/nowhere': give one of ": ("--model", "/nowhere"),
        "process 1 does not crawl into this catalogue; there is process ": ("--pid", "1", "--labels", "card"),
    }
    for said, words_ in wrong.items():
        assert refused(*words_).startswith(said)
    assert numbers() == [2, 2]

    # Two at once: both are policies, and all judge by the later one.
    def change(crawl: client.Crawl, **wanted: Any) -> dict[str, Any]:
        return client.change(crawl, **wanted, author="ben", origin="page")

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(change, first, threshold=0.3)
        other = pool.submit(change, second, threshold=0.4)
        made = {one.result()["number"]: 0.3, other.result()["number"]: 0.4}
    assert sorted(made) == [3, 4]
    until(lambda: numbers() == [4, 4])
    assert [client.status(worker)["policy"]["threshold"] for worker in (first, second)] == [made[4]] * 2

    # Another model, which lacks a label: refused, unless labels come with it. Then back.
    mine = second_model(tmp_path / "my-head")
    assert run("--labels", "card, poster").endswith(f": card, poster from {made[4]:g} on, by web-images")
    said = refused("--model", str(mine))
    assert said == "unknown label 'card': my-head knows poster, album_cover, photo; give labels together with the model"
    until(lambda: numbers() == [5, 5])
    assert json.loads(run("--model", str(mine), "--labels", "photo", "--json"))["policy"]["number"] == 6
    until(lambda: numbers() == [6, 6])
    assert client.status(second)["known_labels"] == list(LABELS)
    until(lambda: Judged.of(tmp_path).by(6) == {True, False})
    run("--model", "web-images", "--labels", "poster")
    until(lambda: numbers() == [7, 7] and Judged.of(tmp_path).by(7) == {True, False})
    run("--pause")
    assert [client.status(worker)["state"] for worker in (first, second)] == ["paused"] * 2
    run("--resume")
    site.ended = True
    for worker in workers:
        worker.end()
    assert refused("--labels", "card") == "nobody crawls into this catalogue now"
    with pytest.raises(SteerError, match=rf"^process {first.pid} \(run 1, .*\) has ended meanwhile$"):
        client.change(first, labels="card", author="ben", origin="page")

    left = Judged.of(tmp_path)
    left.check(site, timedelta(seconds=40))  # who follows loads the model first
    assert [row.id for row in left.policies] == [*range(1, 8)]
    assert [row.author for row in left.policies[2:4]] == ["ben", "ben"]
    shown = CliRunner().invoke(policies_command, ["--json", "--catalogue", url]).output.splitlines()
    rows = [json.loads(line) for line in shown]
    assert [row["changed"] for row in rows] == [
        [], ["labels"], ["threshold"], ["threshold"], ["labels"], ["labels", "model"], ["labels", "model"],
    ]  # fmt: skip
    assert sum(row["judged"] for row in rows) == len(site.pictures) + len(
        {(row.policy_id) for row in left.verdicts if row.url.endswith(EVERYWHERE)}
    )
    assert [row["kept"] + row["dropped"] for row in rows] == [row["judged"] for row in rows]
