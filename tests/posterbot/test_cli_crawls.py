from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import Answer, Site, encode, picture
from crawling import ROOT, command, environment
from frontier.frontier_cases import Part
from sqlalchemy import Engine, func, select, update

from posterbot import cli_crawls
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Outcome, Page
from posterbot.catalogue.runs import begin_run, end_run
from posterbot.catalogue.schema import candidates, frontier, hosts, images, pages, patterns, runs, workers
from posterbot.cli import cli
from posterbot.cli_crawls import crawl_command
from posterbot.frontier.display import duration
from posterbot.frontier.operate import ToResume
from posterbot.frontier.records import Failed


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield engine
    engine.dispose()


@pytest.fixture
def part(engine: Engine) -> Part:
    """At work on run 1, in this process: one page and two images have failed, one URL waits."""
    part = Part(engine)
    part.delays["a.example"] = 2.5
    with part.begin() as connection:
        connection.execute(update(runs).values(arguments={"labels": "poster", "start": "https://a.example/"}))
    part.add("https://a.example/x/1", "https://a.example/x/2")
    part.do(part.frontier.fail, Failed(part.lease(1)["https://a.example/x/1"], "http_5xx", None))
    recorder = Recorder(engine, spider="posters", arguments={}, version="1", job="job")
    for name in ("one", "two"):
        recorder.outcome(
            Outcome(Page("https://a.example/0", 200), f"https://images.example/{name}.jpg", "img", reason="timeout")
        )
    recorder.close(None)
    return part


def leave(part: Part, reason: str = "finished") -> None:
    part.do(part.worker.leave, reason)
    with part.begin() as connection:
        end_run(connection, part.run, reason)  # also where it has left something over


def run(engine: Engine, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--catalogue", str(engine.url)], env={"CATALOGUE_URL": None})


def rows(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


def test_crawls_is_one_line_for_each_run(engine: Engine, part: Part) -> None:
    with engine.begin() as connection:
        begin_run(connection, "posters", {"labels": "\x1b[31mred"}, "1", None)
    first, second = rows(run(engine, "crawls"))[1:]
    assert first[:8] == ["1", "running", "1", "1", "1", "0", "1", "0"]
    assert first[10:] == ["labels=poster", "start=https://a.example/"]
    assert second[:2] == ["2", "interrupted"]
    assert "\x1b" not in run(engine, "crawls").stdout
    leave(part, "shutdown")
    assert rows(run(engine, "crawls"))[1][1:3] == ["stopped", "(shutdown)"]


def test_crawls_as_json_lines(engine: Engine, part: Part) -> None:
    (crawl,) = [json.loads(line) for line in run(engine, "crawls", "--json").stdout.splitlines()]
    assert (crawl["run"], crawl["state"], crawl["workers"], crawl["failed"]) == (1, "running", 1, 1)
    assert crawl["arguments"] == {"labels": "poster", "start": "https://a.example/"}
    assert crawl["started_at"].endswith("+00:00")


def test_what_is_not_there_is_said(engine: Engine) -> None:
    assert run(engine, "crawls").stdout == "no runs yet\n"
    assert run(engine, "hosts").stdout == "no hosts yet\n"
    assert run(engine, "crawls", "--json").stdout == ""
    for arguments in (["retry"], ["crawls", "stop", "last"], ["crawls", "resume", "last"]):
        result = run(engine, *arguments)
        assert (result.exit_code, result.stderr) == (1, "posterbot: there is no run in this catalogue yet\n")


@pytest.mark.parametrize("arguments", [["crawls"], ["hosts"], ["retry"], ["crawls", "stop", "1"]])
def test_a_missing_catalogue_is_one_line(arguments: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, [*arguments, "--catalogue", f"sqlite:///{tmp_path}/none.db"])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("posterbot: no catalogue at ")


@pytest.mark.parametrize(
    "arguments", [["crawls", "stop", "9"], ["crawls", "resume", "9"], ["hosts", "--run", "9"], ["retry", "--run", "9"]]
)
def test_an_unknown_run_is_one_line(engine: Engine, part: Part, arguments: list[str]) -> None:
    result = run(engine, *arguments)
    assert (result.exit_code, result.stderr) == (1, "posterbot: no run 9; the newest is 1\n")


def test_hosts(engine: Engine, part: Part) -> None:
    with engine.begin() as connection:
        connection.execute(
            update(hosts).values(requests=1234, bytes=5_000_000, crawl_delay=2.5, failures=3, closed_reason="http_429")
        )
        connection.execute(update(hosts).values(closed_until=2**40))
    heading, host = run(engine, "hosts").stdout.splitlines()
    assert heading.split()[:3] == ["host", "waiting", "requests"]
    assert host.split()[:11] == ["a.example", "1", "1,234", "5.0", "MB", "0", "0", "B", "2.5", "s", "2.5"]
    assert "(http_429)" in host
    assert "and 1 more hosts" not in run(engine, "hosts").stdout
    part.do(part.hosts.take, ["b.example"])
    assert rows(run(engine, "hosts", "--limit", "1"))[-1] == ["and", "1", "more", "hosts"]
    found = [json.loads(line) for line in run(engine, "hosts", "--json", "--run", "last").stdout.splitlines()]
    assert [(host["host"], host["waiting"], host["requests"]) for host in found] == [
        ("a.example", 1, 1234),
        ("b.example", 0, 0),
    ]


def test_durations() -> None:
    assert [duration(seconds) for seconds in (3.2, 99, 100, 5900, 86_400)] == [
        "3 s",
        "99 s",
        "2 min",
        "98 min",
        "24.0 h",
    ]


# --- stop -----------------------------------------------------------------------------------------------------------


def test_stop_where_nobody_works(engine: Engine, part: Part) -> None:
    leave(part)
    result = run(engine, "crawls", "stop", "1")
    assert (result.exit_code, result.output) == (0, "nobody works on run 1\n")
    with engine.connect() as connection:
        assert connection.scalar(select(runs.c.stopping)) is False  # or the next worker would stop at once


def test_stop_waits_for_the_workers(engine: Engine, part: Part) -> None:
    def work() -> None:
        while True:
            if part.do(part.worker.beat, None).stop:
                leave(part, "stopped")
                return
            time.sleep(0.01)

    thread = threading.Thread(target=work)
    thread.start()
    result = run(engine, "crawls", "stop", "last")
    thread.join()
    assert (result.exit_code, result.output) == (0, "run 1 has stopped; to go on: posterbot crawls resume 1\n")


def test_a_stop_that_takes_too_long_is_a_failure(engine: Engine, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_crawls, "STOP_SECONDS", 0.0)
    result = run(engine, "crawls", "stop", "1")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "have not ended: process " in result.stderr
    assert "dead" not in result.stderr
    with engine.begin() as connection:
        connection.execute(update(workers).values(machine="far-away"))
    assert "on far-away (it may be dead)" in run(engine, "crawls", "stop", "1").stderr


def test_stop_without_waiting(engine: Engine, part: Part) -> None:
    result = run(engine, "crawls", "stop", "1", "--no-wait")
    assert (result.exit_code, result.output) == (0, "run 1: 1 worker asked to stop\n")
    assert part.do(part.worker.beat, None).stop


# --- retry ----------------------------------------------------------------------------------------------------------


def test_retry_without_a_reason_counts_them(engine: Engine, part: Part) -> None:
    assert rows(run(engine, "retry")) == [["reason", "pages", "images"], ["timeout", "0", "2"], ["http_5xx", "1", "0"]]
    assert run(engine, "retry", "--host", "nobody.example").stdout == "nothing of run 1 has failed\n"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("timeout,nonesuch", "no reason 'nonesuch'"),
        (" , ", "no reason given"),
        ("", "no reason given"),
    ],
)
def test_an_unknown_reason_is_answered_with_those_that_occur(engine: Engine, part: Part, given: str, says: str) -> None:
    result = run(engine, "retry", "--reason", given)
    assert result.exit_code == 1
    assert result.stderr == f"posterbot: {says}; in run 1 there are: timeout (2), http_5xx (1)\n"


def test_an_opt_out_is_no_failure(engine: Engine, part: Part) -> None:
    result = run(engine, "retry", "--reason", "opted_out")
    assert result.exit_code == 1
    assert "is not tried again" in result.stderr


def test_retry(engine: Engine, part: Part) -> None:
    leave(part)
    dry = run(engine, "retry", "--reason", "timeout,http_5xx", "--dry-run")
    assert dry.stdout == "run 1: 1 page and 2 images of 1 page would be queued\n"
    catalogue = str(engine.url)
    done = run(engine, "retry", "--reason", "timeout, http_5xx")
    assert done.stdout == (
        f"run 1: 1 page and 2 images of 1 page queued\nto go on: posterbot crawls resume 1 --catalogue {catalogue}\n"
    )
    assert run(engine, "retry", "--reason", "http_404").stdout == "run 1: 0 pages and 0 images queued\n"


def test_retry_while_it_runs(engine: Engine, part: Part) -> None:
    with engine.begin() as connection:
        connection.execute(update(patterns).values(closed="trap"))
    done = run(engine, "retry", "--reason", "http_5xx,trap", "--host", " A.example ")
    assert done.stdout.splitlines() == [
        "run 1: 1 page and 0 images queued",
        "1 closed pattern opened again",
        "taken up by 1 worker",
    ]
    with engine.begin() as connection:
        connection.execute(update(workers).values(machine="far-away"))
    assert run(engine, "retry", "--reason", "timeout").stdout.splitlines()[1:] == [
        "taken up by 1 worker elsewhere, unless dead",
        f"to go on: posterbot crawls resume 1 --catalogue {engine.url}",
    ]


def test_the_environment_names_the_catalogue_and_need_not_be_repeated(engine: Engine, part: Part) -> None:
    leave(part)
    given = {"CATALOGUE_URL": str(engine.url)}
    done = CliRunner().invoke(cli, ["retry", "--reason", "timeout"], env=given)
    assert done.stdout.splitlines()[1] == "to go on: posterbot crawls resume 1"


# --- resume ---------------------------------------------------------------------------------------------------------


def test_resume_refuses_in_one_line(engine: Engine, part: Part) -> None:
    leave(part)
    result = run(engine, "crawls", "resume", "1")
    assert result.exit_code == 1
    assert result.stderr == (
        "posterbot: run 1 is finished; to try again what failed, first: posterbot retry --run 1 --reason …\n"
    )
    before = CliRunner().invoke(cli, ["crawls", "--catalogue", str(engine.url), "resume", "1"])
    assert before.stderr == result.stderr


def test_the_command_that_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCRAPY_SETTINGS_MODULE", raising=False)
    found = ToResume(3, "posters", {"labels": "a, b", "start": "https://a.example/"}, ())
    words, given = crawl_command(found, "sqlite:///x.db", ("-s", "LOG_FILE=log"))
    start = [sys.executable, "-m", "scrapy", "crawl", "posters", "-a", "labels=a, b", "-a", "start=https://a.example/"]
    assert words == [*start, "-s", "CATALOGUE_URL=sqlite:///x.db", "-s", "LOG_FILE=log"]
    assert (given["CATALOGUE_URL"], given["SCRAPY_SETTINGS_MODULE"]) == ("sqlite:///x.db", "posterbot.settings")
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = mine.settings\n")
    words, given = crawl_command(found, "postgresql://crawler:secret@host/posters", ())
    assert words == start
    assert given["CATALOGUE_URL"] == "postgresql://crawler:secret@host/posters"
    assert "SCRAPY_SETTINGS_MODULE" not in given


def test_a_real_crawl_is_stopped_resumed_and_mended(tmp_path: Path, site: Site) -> None:
    """The whole of it, with processes; takes about 12 s."""
    site.page("/", "".join(f'<a href="/film/{n}">film</a>' for n in range(40)))
    for number in range(40):
        site[f"/film/{number}"] = Answer(f'<img src="/{number}.jpg" alt="poster">'.encode(), delay=0.1)
        site.image(f"/{number}.jpg", encode(picture(seed=number)))
    site["/film/7"] = Answer(status=500)
    site["/8.jpg"] = Answer(status=500)
    url = f"sqlite:///{tmp_path}/catalogue.db"
    settings = {"RETRY_TIMES": 0, "LOG_LEVEL": "INFO"}
    options = command(tmp_path, **settings)[5:]

    def posterbot(*arguments: str) -> str:
        done = CliRunner().invoke(cli, arguments, env={"CATALOGUE_URL": url})
        assert done.exit_code == 0, done.output
        return done.stdout

    def resume() -> None:
        words = [sys.executable, "-m", "posterbot.cli", "crawls", "resume", "last", "--", *options]
        given = {**environment(), "CATALOGUE_URL": url}
        done = subprocess.run(words, cwd=ROOT, env=given, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr

    words = command(tmp_path, "-a", f"start={site.url}/", **settings, CONCURRENT_REQUESTS=1)
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=quiet, stderr=quiet) as crawl:
        while sum("film" in path for path in site.asked) < 5:
            assert crawl.poll() is None
            time.sleep(0.02)
        stopped = posterbot("crawls", "stop", "last")
    assert (crawl.returncode, stopped) == (0, "run 1 has stopped; to go on: posterbot crawls resume 1\n")
    before = json.loads(posterbot("crawls", "--json"))
    assert (before["state"], before["reason"], before["leased"]) == ("stopped", "stopped", 0)
    assert before["waiting"] > 0

    resume()
    after = json.loads(posterbot("crawls", "--json"))
    assert (after["run"], after["state"], after["waiting"], after["failed"]) == (1, "finished", 0, 1)

    site["/film/7"] = Answer(b'<img src="/7.jpg">')
    site.image("/8.jpg", encode(picture(seed=8)))
    assert "1 page and 1 image of 1 page queued" in posterbot("retry", "--reason", "http_5xx")
    resume()
    engine = open_catalogue(url)
    with engine.connect() as connection:
        assert connection.execute(select(runs.c.id, runs.c.finish_reason)).all() == [(1, "finished")]
        assert connection.execute(select(candidates.c.reason).distinct()).all() == [(None,)]
        assert connection.execute(select(pages.c.reason).distinct()).all() == [(None,)]
        assert connection.scalar(select(func.count()).select_from(images)) == 40
        assert connection.scalar(select(func.count()).select_from(frontier)) == 42  # and one for the images of a page
    engine.dispose()
