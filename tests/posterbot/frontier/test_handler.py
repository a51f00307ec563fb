"""Scrapy through the gate, over real HTTP: one crawl of hosts on loopback, whose logs tell how polite it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
GAP = 0.3
TIMEOUT = 1.5
BACKOFF = 0.6


@dataclass
class Answer:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"<p>hello</p>"
    silent: float = 0.0
    """Seconds before the headers."""
    slow: float = 0.0
    """Seconds within the body."""


@dataclass
class Arrival:
    path: str
    time: float
    answered: float = 0.0
    """When the headers of its answer were sent."""
    over: float = 0.0
    """When the last of its answer was sent."""


class Server(ThreadingHTTPServer):
    """A host at an address of its own. ``answer(path, n, m)``: to the n-th request, m-th of its connection; None: hangs
    up instead."""

    daemon_threads = True
    request_queue_size = 100
    lock = threading.Lock()
    all_at_once = most_of_all = 0  # over all servers but those of whose answers the crawler has enough too early
    at_once = most_at_once = 0

    def __init__(self, address: str, answer: Callable[[str, int, int], Answer | None]) -> None:
        super().__init__((address, 0), _Handler)
        self.answer = answer
        self.url = f"http://{address}:{self.server_address[1]}"
        self.arrivals: list[Arrival] = []

    @property
    def gaps(self) -> list[float]:
        times = [arrival.time for arrival in self.arrivals]
        return [b - a for a, b in pairwise(times)]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # the crawler had enough


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    count = 0
    server: Server

    def do_GET(self) -> None:
        arrival = Arrival(self.path, time.monotonic())
        self.count += 1
        with Server.lock:
            self.server.arrivals.append(arrival)
            number = len(self.server.arrivals)
            self._under_way(1)
        answer = self.server.answer(self.path, number, self.count)
        time.sleep(answer.silent if answer else 0)
        arrival.answered = time.monotonic()
        if answer is None:
            self._over(arrival)
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in ({"Content-Length": str(len(answer.body))} | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body[:1])
        time.sleep(answer.slow)
        self._over(arrival)
        self.wfile.write(answer.body[1:])

    def _over(self, arrival: Arrival) -> None:
        with Server.lock:
            arrival.over = time.monotonic()
            self._under_way(-1)

    def _under_way(self, one: int) -> None:
        self.server.at_once += one
        self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        if self.server.answer not in {HOSTS["mute"][2], HOSTS["large"][2]}:
            Server.all_at_once += one
        Server.most_of_all = max(Server.most_of_all, Server.all_at_once)

    def log_message(self, *args: object) -> None:
        pass


@dataclass
class Crawl:
    servers: dict[str, Server]
    outcomes: dict[str, Any]
    """Of each host, in the order of its URLs."""
    states: dict[str, Any]
    once_closed: list[str]
    output: str

    def of(self, name: str) -> list[Any]:
        url = self.servers[name].url
        return [outcome for asked, outcome in self.outcomes.items() if asked.startswith(url + "/")]

    def was_closed(self, name: str) -> bool:
        return self.servers[name].server_address[0] in self.once_closed


def _moved(path: str, number: int, of_connection: int) -> Answer:
    left = int(path[-1])
    return Answer(302, {"Location": f"{path[:-1]}{left - 1}"}, silent=0.1) if left else Answer()


HOSTS: dict[str, tuple[int, dict[str, Any], Callable[[str, int, int], Answer | None]]] = {
    # name: URLs, limits, answers
    "quick": (7, {"delay": GAP}, lambda path, n, m: Answer()),
    "slow": (5, {"delay": GAP}, lambda path, n, m: Answer(silent=0.25 * (n % 2), slow=0.8)),
    "moving": (3, {"delay": GAP}, _moved),
    "no gap": (12, {"concurrency": 2}, lambda path, n, m: Answer(silent=0.05)),
    "busy": (3, {"concurrency": 1}, lambda path, n, m: Answer(429, {"Retry-After": "1"}) if n == 1 else Answer()),
    "closed": (3, {"concurrency": 1}, lambda path, n, m: Answer(503, {"Retry-After": "100"})),
    "budget": (5, {"requests_per_day": 3}, lambda path, n, m: Answer()),
    "bytes": (5, {"bytes_per_day": 2000, "concurrency": 1}, lambda path, n, m: Answer(body=bytes(1000))),
    "ill": (
        6,
        {"failures": 1},
        lambda path, n, m: Answer(500, silent=0.2) if n <= 3 else Answer(silent=0.4 * (n == 4)),
    ),
    "mute": (2, {"failures": 1, "concurrency": 1}, lambda path, n, m: Answer(silent=1.5 * TIMEOUT)),
    "large": (6, {"failures": 1, "concurrency": 1}, lambda path, n, m: Answer(body=bytes(3000), slow=0.05)),
    "hangs up": (4, {"delay": GAP, "failures": 1}, lambda path, n, m: Answer() if m == 1 else None),
    "never there": (2, {"delay": GAP, "failures": 9}, lambda path, n, m: None),
}


@pytest.fixture(scope="module")
def crawl() -> Iterator[Crawl]:
    with ExitStack() as stack:
        servers = {}
        for number, (name, (_, _, answer)) in enumerate(HOSTS.items(), 1):
            server = servers[name] = stack.enter_context(Server(f"127.0.7.{number}", answer))
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            stack.callback(server.shutdown)
        urls = [f"{servers[name].url}/{n}" for name, (number, _, _) in HOSTS.items() for n in range(number)]
        urls = [url + ("/2" if url.startswith(servers["moving"].url) else "") for url in urls]
        large = servers["large"].url
        meta: dict[str, dict[str, Any]] = {
            f"{large}/1": {"break": True},
            f"{large}/2": {"stop": "succeed"},
            f"{large}/3": {"stop": "fail"},
            f"{large}/4": {"download_maxsize": 2000},
        }
        slots = {server.server_address[0]: HOSTS[name][1] for name, server in servers.items()}
        plan = {
            "settings": {
                "DOWNLOAD_SLOTS": slots,
                "DOWNLOAD_DELAY": 0,
                "CONCURRENT_REQUESTS": 8,
                "CONCURRENT_REQUESTS_PER_DOMAIN": 3,
                "DOWNLOAD_TIMEOUT": TIMEOUT,
                "HOST_BACKOFF": BACKOFF,
            },
            "urls": [*urls, servers["closed"].url + "/later", servers["quick"].url + "/later"],
            "meta": meta,
        }
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name("polite_crawl.py")],
            input=json.dumps(plan),
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        outcomes = {url: said["outcomes"][url] for url in plan["urls"]}
        yield Crawl(servers, outcomes, said["states"], said["once_closed"], done.stderr)


@pytest.mark.parametrize("name", ["quick", "slow", "moving", "hangs up", "never there"])
def test_no_two_requests_come_nearer_than_promised(crawl: Crawl, name: str) -> None:
    assert len(crawl.servers[name].arrivals) >= 2
    assert min(crawl.servers[name].gaps) >= GAP


@pytest.mark.parametrize("name", ["quick", "slow", "moving"])
def test_the_gap_begins_with_the_answer_of_the_last(crawl: Crawl, name: str) -> None:
    arrivals = crawl.servers[name].arrivals
    assert all(b.time - a.answered >= GAP for a, b in pairwise(arrivals))


def test_all_pages_come_though_their_wait_is_longer_than_the_download_timeout(crawl: Crawl) -> None:
    assert crawl.of("quick") == [200] * 8
    assert crawl.of("slow") == [200] * 5
    times = [arrival.time for arrival in crawl.servers["quick"].arrivals[:7]]
    assert max(times) - min(times) > TIMEOUT


def test_bodies_overlap_where_the_gap_is_shorter(crawl: Crawl) -> None:
    assert any(b.time < a.over for a, b in pairwise(crawl.servers["slow"].arrivals))


def test_redirects_take_their_turn_too(crawl: Crawl) -> None:
    assert crawl.of("moving") == [200] * 3
    assert len(crawl.servers["moving"].arrivals) == 9


def test_no_more_transfers_at_once_than_asked_for(crawl: Crawl) -> None:
    assert crawl.of("no gap") == [200] * 12
    assert crawl.servers["no gap"].most_at_once == 2
    assert Server.most_of_all <= 8


def test_retry_after_is_waited_for_where_it_is_short(crawl: Crawl) -> None:
    first, *later = crawl.servers["busy"].arrivals
    assert crawl.of("busy") == [429, 200, 200]
    assert min(arrival.time for arrival in later) - first.time >= 1


def test_a_host_that_is_closed_for_long_is_told_by_that_name(crawl: Crawl) -> None:
    assert crawl.of("closed") == [503, "HostClosed http_503", "HostClosed http_503", "HostClosed http_503"]
    assert len(crawl.servers["closed"].arrivals) == 1
    assert crawl.outcomes[crawl.servers["closed"].url + "/later"] == "HostClosed http_503"  # by download_async


def test_budgets(crawl: Crawl) -> None:
    for name, number in (("budget", 3), ("bytes", 2)):
        assert len(crawl.servers[name].arrivals) == number
        assert crawl.of(name) == [200] * number + ["HostClosed budget"] * (5 - number)


def test_circuit_breaker_lets_one_through_first(crawl: Crawl) -> None:
    assert crawl.of("ill") == [500] * 3 + [200] * 3
    assert crawl.was_closed("ill")
    *failed, trial, after, last = crawl.servers["ill"].arrivals
    assert len(failed) == 3  # all sent before any was answered
    assert trial.time - min(arrival.answered for arrival in failed) >= BACKOFF
    assert min(after.time, last.time) >= trial.answered


def test_no_answer_in_time_is_a_failure(crawl: Crawl) -> None:
    first, second = crawl.servers["mute"].arrivals
    assert crawl.of("mute") == ["DownloadTimeoutError"] * 2
    assert second.time - first.time >= TIMEOUT + BACKOFF


def test_what_we_cut_off_is_no_failure_of_the_host(crawl: Crawl) -> None:
    """One failure would have closed it."""
    assert crawl.of("large") == [200, 200, 200, "StopDownload", "DownloadCancelledError", 200]
    assert not crawl.was_closed("large")
    failures, size, requests = crawl.states[crawl.servers["large"].server_address[0]]
    assert (failures, requests) == (0, 6)
    assert size == 9000


def test_what_was_lost_with_a_stale_connection_is_asked_for_again_in_turn(crawl: Crawl) -> None:
    assert crawl.of("hangs up") == [200] * 4
    assert not crawl.was_closed("hangs up")
    paths = [arrival.path for arrival in crawl.servers["hangs up"].arrivals]
    assert paths == ["/0", "/1", "/2", "/3", "/1", "/3"]  # 1 and 3 went over connections that had served 0 and 2


def test_what_a_new_connection_does_not_answer_is_not_asked_for_again(crawl: Crawl) -> None:
    assert crawl.of("never there") == ["DownloadFailedError"] * 2
    assert len(crawl.servers["never there"].arrivals) == 2


def test_little_noise(crawl: Crawl) -> None:
    """Hosts that are closed make no errors in the log; the one that is there was made by a listener on purpose."""
    errors = [line for line in crawl.output.splitlines() if "] ERROR: " in line]
    assert len(errors) == 1
    assert "signal handler" in errors[0]
