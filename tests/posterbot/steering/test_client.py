"""Finding a crawl and asking it: job files that are none, answers that are none, and nothing typed becomes code."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from catalogue.catalogue_records import judged, page, policy
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from scrapy.utils._remote_control import write_job_file
from sqlalchemy import update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.schema import workers
from posterbot.cli_steer import steer
from posterbot.frontier.workers import Worker, born
from posterbot.steering import client
from posterbot.steering.client import Crawl, SteerError, change, running, status, why_none
from posterbot.steering.report import policy_as_dict

PID = os.getpid()


class Remote(HTTPServer):
    """The port of a crawl, which answers what a test wants."""

    def __init__(self) -> None:
        self.answer: bytes = b""
        self.code = 200
        self.asked: list[Any] = []
        remote = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                if self.headers["Authorization"] != "Bearer secret":
                    remote.code = 401
                remote.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(remote.code)
                self.end_headers()
                self.wfile.write(remote.answer)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def says(self, output: object, **more: object) -> None:
        text = output if isinstance(output, str) else json.dumps(output)
        self.answer = json.dumps({"status": "ok", "output": text, "traceback": None} | more).encode()


@pytest.fixture
def remote() -> Iterator[Remote]:
    remote = Remote()
    yield remote
    remote.shutdown()
    remote.server_close()


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REMOTE_CONTROL_JOBS_DIR", str(tmp_path / "jobs"))
    return tmp_path / "jobs"


@pytest.fixture
def url(tmp_path: Path, jobs: Path) -> str:
    """A catalogue into which this process crawls, for all that it says."""
    url = f"sqlite:///{tmp_path}/catalogue.db"
    engine = open_catalogue(url)
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    recorder.call(lambda connection, calls: [Worker(connection, recorder.run_id) for _ in calls], None).result()
    recorder.close(None)
    engine.dispose()
    return url


def job(folder: Path, port: int, name: str = "1", token: str = "secret") -> Path:
    path = folder / f"{PID}-{name}.json"
    write_job_file(path, spider="posters", project="posterbot", scrapy_version="2", port=port, token=token)
    return path


@pytest.fixture
def crawl(url: str, jobs: Path, remote: Remote) -> Crawl:
    job(jobs, remote.server_port)
    (found,) = running(url)
    return found


def test_found_by_catalogue_and_job_file(url: str, jobs: Path, remote: Remote) -> None:
    assert running(url) == []
    assert why_none(url).startswith(f"run 1 is crawled by process {PID}, but it has no job file in {jobs}: ")
    job(jobs, 9, "old")
    job(jobs, remote.server_port, "new")
    (found,) = running(url)
    assert (found.pid, found.run, found.spider, found.port) == (PID, 1, "posters", remote.server_port)
    assert "secret" not in repr(found) + str(found)
    assert url not in repr(found)
    # One of another catalogue, and one that has died, whose number is this process's now.
    other = url.replace("catalogue", "other")
    open_catalogue(other).dispose()
    assert running(other) == []
    assert why_none(other) == "nobody crawls into this catalogue now"
    engine = open_catalogue(url)
    with engine.begin() as connection:
        connection.execute(update(workers).values(born="long ago"))
    assert running(url) == []
    with engine.begin() as connection:
        connection.execute(update(workers).values(machine="elsewhere/x/y"))
    assert why_none(url) == "run 1 is crawled on elsewhere: steer it there; all its workers follow"
    engine.dispose()


def spoil(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    "break_it",
    [
        lambda path: path.chmod(0o640),
        lambda path: path.rename(path.with_suffix(".real")) and path.symlink_to(path.with_suffix(".real")),
        lambda path: path.unlink() or path.mkdir(),
        lambda path: path.write_text("{"),
        lambda path: path.write_text("[1]"),
        lambda path: spoil(path, version=2),
        lambda path: spoil(path, port="80@elsewhere"),
        lambda path: spoil(path, port=70000),
        lambda path: spoil(path, token="a\r\nHost: elsewhere"),
        lambda path: spoil(path, pid=None),
        lambda path: spoil(path, start_time="long ago"),
    ],
)
def test_a_job_file_that_is_none_is_passed_over(
    break_it: Callable[[Path], object], url: str, jobs: Path, remote: Remote
) -> None:
    path = job(jobs, remote.server_port)
    assert len(running(url)) == 1
    break_it(path)
    assert running(url) == []


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=5))
def test_nothing_that_is_typed_becomes_code(typed: object) -> None:
    asked = {"do": "change", "labels": typed, "author": typed}
    tree = ast.parse(client._CODE.format(repr(json.dumps(asked))))
    imported, printed = tree.body
    assert isinstance(imported, ast.ImportFrom)
    (call,) = [node for node in ast.walk(printed) if isinstance(node, ast.Call) and node.func.id == "remote"]  # type: ignore[attr-defined]
    crawler, literal = call.args
    assert isinstance(crawler, ast.Name)
    assert isinstance(literal, ast.Constant)
    assert json.dumps(json.loads(literal.value)) == json.dumps(asked)


def test_what_is_asked_and_answered(
    crawl: Crawl, remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.says({"ok": {"number": 2}})
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert change(crawl, labels="x'\n\"", top=None, author="ann", origin="steer") == {"number": 2}
    (asked,) = remote.asked
    text = ast.literal_eval(asked["code"].splitlines()[1].removeprefix("print(await remote(crawler, ")[:-2])
    assert json.loads(text) == {"do": "change", "labels": "x'\n\"", "top": None, "author": "ann", "origin": "steer"}
    # A path is meant from here, wherever the crawl runs.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web-images").mkdir()
    (tmp_path / "my-head").mkdir()
    for model, sent in (("my-head", str(tmp_path / "my-head")), ("web-images", "web-images"), ("a\0b", "a\\u0000b")):
        change(crawl, model=model, author="ann", origin="steer")
        assert f'"model": "{sent}"' in remote.asked[-1]["code"].replace("\\\\", "\\")


def test_what_is_no_answer_is_one_line(crawl: Crawl, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> str:
        with pytest.raises(SteerError) as caught:
            status(crawl)
        (line,) = str(caught.value).splitlines()
        return line

    remote.says({"error": "unknown label 'x'"})
    assert refused() == "unknown label 'x'"
    remote.says("", status="error", traceback="Traceback\n  File\nModuleNotFoundError: No module named 'posterbot'\n")
    assert refused().endswith(" failed: ModuleNotFoundError: No module named 'posterbot'")
    remote.says("", status="timeout")
    assert "was not done after 20 s; what it made of this: posterbot policies" in refused()
    for answer in ('{"ok": {}', "[]", "3", ""):
        remote.says(answer)
        assert refused().endswith("gives an answer that is not understood: is it of another version?")
    remote.answer = b"\xff\xfe<html>"
    assert "has ended" in refused()
    monkeypatch.setattr(remote, "code", 401)
    assert refused().endswith("has ended: its port is another program's now (HTTP 401)")
    remote.shutdown()
    remote.server_close()
    assert refused() == f"{crawl} has ended meanwhile"
    monkeypatch.setattr(client, "ANSWER_SECONDS", -4.9)  # and the five more that the crawl has to say so
    deaf = HTTPServer(("127.0.0.1", crawl.port), BaseHTTPRequestHandler)
    assert "does not answer" in refused()
    deaf.server_close()


def test_the_past_is_judged_by_the_same_policy(crawl: Crawl, url: str, remote: Remote) -> None:
    engine = open_catalogue(url)
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    for number in range(3):
        recorder.outcome(judged(number, page(), keep=number < 1)).result()
    strict = policy("poster", threshold=0.95)
    said = policy_as_dict(strict, recorder.policy(strict).result())
    recorder.close(None)
    engine.dispose()
    remote.says({"ok": said})
    done = CliRunner().invoke(steer, ["--catalogue", url, "--threshold", "0.95", "--rejudge"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "run 1, policy 2: poster from 0.95 on, by web-images",
        "the past: 3 judged, 0 newly kept (0 to be fetched again), 1 newly dropped, 2 as before",
    ]
    remote.says({"ok": {"policy": said}})  # without a change, by what is in force
    done = CliRunner().invoke(steer, ["--catalogue", url, "--pause", "--rejudge", "--json"])
    assert json.loads(done.output)["state"] == "paused"
    assert json.loads(done.output)["rejudged"]["judged"] == 0  # that is done already


def test_several_crawls(crawl: Crawl, url: str, jobs: Path, remote: Remote) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        engine = open_catalogue(url)
        recorder = Recorder(engine, spider="posters", arguments={}, version="1")
        with engine.begin() as connection:
            worker = Worker(connection, recorder.run_id)
            me = {"pid": other.pid, "born": born(other.pid)}
            connection.execute(update(workers).where(workers.c.id == worker.number).values(me))
        recorder.close(None)
        engine.dispose()
        path = job(jobs, remote.server_port, "2")
        spoil(path, pid=other.pid)
        job(jobs, remote.server_port)
        assert [found.run for found in running(url)] == [1, 2]
        refused = CliRunner().invoke(steer, ["--catalogue", url, "--labels", "x"])
        assert refused.exit_code == 1
        assert refused.output.startswith(f"posterbot: several crawls run: give one of them with --pid: process {PID} (")
        assert f"process {other.pid} (run 2, since " in refused.output
        remote.says({"ok": {"number": 5, "labels": ["x"], "threshold": 0.5, "top": None, "model": "m"}})
        done = CliRunner().invoke(steer, ["--catalogue", url, "--labels", "x", "--pid", str(other.pid)])
        assert done.output == "run 2, policy 5: x from 0.5 on, by m\n"
    finally:
        other.communicate(b"\n")
    (left,) = running(url)
    assert left == crawl
