"""A million URLs in a frontier: how fast they go in and come out, and what memory and disk they take.

    python benchmarks/frontier_scale.py [--urls 1000000] [--leases 100000] [--hosts 2000] [--database postgresql]
        [--strategy breadth_first]

The classes are those of a crawl, driven as its scheduler does: links are made from Scrapy requests (fingerprint,
pattern, JSON) and handed to the recorder by the hundred; each lease is for 128 URLs, which are then all reported as
finished, with a page's row each. SQLite in a temporary folder, or a PostgreSQL cluster there (which has to be
installed). Printed: URLs a second in and out (and in for a CPU second, which holds where others use this machine as
well), the resident memory of this process for each 100,000 URLs, and its slope from 200,000 on by least squares, with
the standard error.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.utils.project import get_project_settings
from scrapy.utils.reactor import install_reactor
from scrapy.utils.request import RequestFingerprinter
from sqlalchemy import text

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Page
from posterbot.frontier.breadth_first import BreadthFirst
from posterbot.frontier.by_yield import Yield
from posterbot.frontier.host_table import HostTable
from posterbot.frontier.records import Finished, Grant, Link, Place, Wish
from posterbot.frontier.requests import to_json
from posterbot.frontier.scheduler import URLS_AT_ONCE
from posterbot.frontier.session import LINKS_AT_ONCE
from posterbot.frontier.store import Frontier
from posterbot.frontier.strategy import BREADTH_FIRST, YIELD, Strategy
from posterbot.frontier.traps import clean_url, pattern
from posterbot.frontier.workers import Worker
from posterbot.spiders.posters import PostersSpider

ROOT = Path(__file__).parents[1]
SAMPLE = 10_000
"""URLs between two looks at the memory."""
FROM = 200_000
"""Where the line through the samples begins."""
UNDER_WAY = 4_000
"""Links that may wait for their commit."""
LINKS, AT_HOME = 20, 0.8
"""New links on a page, and the share of them that stay on its host."""
PLACES = [
    Place(f"html/body/div.page/main/{where}", "A link to another page", position)
    for position, where in enumerate(("ul.films/li/a", "aside/ul.people/li/a", "div.news/h3/a", "nav/a", "p/a"))
]
SECTIONS = ("films", "people", "news", "archive", "essays")


class Process:
    """Resident memory of a process against the number of URLs; by default of this one."""

    def __init__(self, pid: int | str = "self") -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.samples: list[tuple[int, float]] = []

    def look(self, urls: int) -> None:
        """Take a sample."""
        if len(parts := self._status.read_text().split("VmRSS:")) > 1:  # else it has just ended
            self.samples.append((urls, int(parts[1].split()[0]) / 1000))

    def slope(self, start: int) -> tuple[float, float]:
        """MB for 100,000 URLs from ``start`` on, and its standard error."""
        x, y = np.array([sample for sample in self.samples if sample[0] >= start], float).T
        x = (x - x.mean()) / 100_000
        slope = float(x @ y / (x @ x))
        rest = y - y.mean() - slope * x
        return slope, float(np.sqrt(rest @ rest / (len(x) - 2) / (x @ x)))


def requests(number: int, hosts: int, spider: PostersSpider) -> Iterator[Request]:
    """Links to different pages of few large hosts and many small ones, as pages have them: most lead to their own."""
    rng = random.Random(1)
    here = 0
    for page in range(number):
        if page % LINKS == 0:
            here = int(hosts * rng.random() ** 2)
        host = here if rng.random() < AT_HOME else int(hosts * rng.random() ** 2)
        section = SECTIONS[page % len(SECTIONS)]
        yield Request(
            f"https://www.site-{host}.example/{section}/{rng.getrandbits(40):x}-{page}.html",
            headers={"Referer": f"https://www.site-{host}.example/{section}/index.html"},
            meta={"depth": 3},
            priority=-3,
            errback=spider.failed,
        )


def enqueue(recorder: Recorder, frontier: Frontier, given: argparse.Namespace, process: Process) -> tuple[float, float]:
    """All URLs in; seconds, and CPU seconds of this process."""
    spider, fingerprint = spider_of_a_crawl(), RequestFingerprinter().fingerprint
    waiting: deque[tuple[int, Future[int]]] = deque()
    began, cpu = time.perf_counter(), time.process_time()
    process.look(0)
    links: list[Link] = []
    for number, request in enumerate(requests(given.urls, given.hosts, spider), 1):
        url = clean_url(request.url)
        host = url.split("/", 3)[2]
        shape, rest = pattern(url), to_json(request, spider)
        place = PLACES[number % len(PLACES)]
        links.append(Link(url, fingerprint(request), host, shape, request.priority, rest, number // 20, place, 3))
        if len(links) == LINKS_AT_ONCE or number == given.urls:
            some: Sequence[Link] = tuple(links)
            waiting.append((len(some), recorder.call(frontier.add, some, weight=len(some))))
            links.clear()
        while len(waiting) > UNDER_WAY // LINKS_AT_ONCE or (waiting and number % SAMPLE == 0):
            expected, future = waiting.popleft()
            assert future.result() == expected, "a new URL was taken for a known one"
        if number % SAMPLE == 0:
            process.look(number)
    for _, future in waiting:
        future.result()
    return time.perf_counter() - began, time.process_time() - cpu


def lease(recorder: Recorder, frontier: Frontier, given: argparse.Namespace) -> tuple[int, float, float, float]:
    """Out again: how many URLs, seconds for the leases, seconds for leases and reports, CPU seconds of both."""
    done, leasing = 0, 0.0
    cpu = time.process_time()
    reported: deque[Future[Any]] = deque()
    began = time.perf_counter()
    while done < given.leases:
        start = time.perf_counter()
        grant: Grant = recorder.call(frontier.lease, Wish(URLS_AT_ONCE), urgent=True).result()
        leasing += time.perf_counter() - start
        if not grant.leased:
            break
        for leased in grant.leased:
            page = Page(leased.url, status=200, title="A page", depth=3)
            reported.append(recorder.together([page], frontier.finish, Finished(leased.key, new_images=1)))
        done += len(grant.leased)
        while reported:  # so that leases are measured alone
            reported.popleft().result()
    return done, leasing, time.perf_counter() - began, time.process_time() - cpu


def spider_of_a_crawl() -> PostersSpider:
    """The callbacks of requests are looked up in it."""
    settings = get_project_settings()
    install_reactor(settings["TWISTED_REACTOR"], settings["ASYNCIO_EVENT_LOOP"])
    crawler = Crawler(PostersSpider, settings)
    crawler._apply_settings()  # makes its extensions, one of which the spider knows
    return PostersSpider.from_crawler(crawler, start="http://127.0.0.1/")


def strategy(given: argparse.Namespace, run: int, worker: int) -> Strategy:
    """As the setting FRONTIER_STRATEGY says it."""
    return Yield(given.database, run, worker) if given.strategy == YIELD else BreadthFirst(run, worker)


def count(recorder: Recorder, what: str) -> int:
    """Rows, straight from the database."""
    with recorder._engine.connect() as connection:
        return connection.scalar(text(f"SELECT count(*) FROM {what}")) or 0


def main() -> None:
    """In, out, and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--leases", type=int, default=100_000)
    parser.add_argument("--hosts", type=int, default=2_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--strategy", choices=(YIELD, BREADTH_FIRST), default=YIELD)
    parser.add_argument("--json", type=Path, help="file for the figures")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = folder / "catalogue.db"
        if given.database == "sqlite":
            url = f"sqlite:///{file}"
        else:
            sys.path.insert(0, str(ROOT / "tests"))
            from postgres import Cluster

            cluster = Cluster()
            stack.callback(cluster.close)
            url = cluster.create_database()
        engine = open_catalogue(url)
        recorder = Recorder(engine, spider="posters", arguments={}, version="benchmark", job="benchmark")
        worker = recorder.call(lambda connection, calls: [Worker(connection, recorder.run_id)], None).result()
        table = HostTable(worker.number, lambda host: 0.25)
        frontier = Frontier(
            given.database,
            recorder.run_id,
            worker.number,
            table,
            strategy(given, recorder.run_id, worker.number),
            urls_per_host=given.urls,
            fruitless=given.urls,
        )
        process = Process()
        seconds_in, cpu = enqueue(recorder, frontier, given, process)
        rows = count(recorder, "frontier")
        if given.database == "sqlite":
            size = sum(part.stat().st_size for part in folder.glob("catalogue.db*"))
        else:
            with engine.connect() as connection:
                size = connection.scalar(text("SELECT pg_database_size(current_database())"))
        leased, seconds_leasing, seconds_out, cpu_out = lease(recorder, frontier, given)
        process.look(given.urls)
        done = count(recorder, "frontier WHERE state = 2")
        recorder.close(None)
        engine.dispose()
    start = min(FROM, given.urls // 5)
    slope, error = process.slope(start)
    figures = {
        "database": given.database,
        "strategy": given.strategy,
        "urls": rows,
        "enqueued_per_second": given.urls / seconds_in,
        "enqueued_per_cpu_second": given.urls / cpu,
        "leased": leased,
        "done": done,
        "leased_per_second": leased / seconds_leasing,
        "leased_and_finished_per_second": leased / seconds_out,
        "cpu_ms_per_request": 1000 * cpu_out / max(leased, 1),
        "memory_mb": max(memory for _, memory in process.samples),
        "slope_bytes_per_url": 10 * slope,
        "slope_standard_error": 10 * error,
        "database_mb": size / 1e6,
        "samples": process.samples,
    }
    print(f"{'URLs':>10}{'memory':>10}")
    for urls, memory in process.samples[:: max(1, 100_000 // SAMPLE)]:
        print(f"{urls:10,}{memory:7.1f} MB")
    print(f"slope from {start:,} on: {10 * slope:+.2f} ± {10 * error:.2f} bytes for each URL (one standard error)")
    print(
        f"in:  {figures['enqueued_per_second']:8,.0f} URLs/s ({seconds_in:.0f} s), {given.urls / cpu:,.0f} a CPU second"
    )
    print(f"out: {figures['leased_per_second']:8,.0f} URLs/s; with their reports {leased / seconds_out:,.0f} URLs/s,")
    print(f"     {figures['cpu_ms_per_request']:.3f} ms of CPU each")
    print(f"{given.database}: {rows:,} rows, {done:,} done, {size / 1e6:.0f} MB")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
