"""What the frontier costs: one crawl with it and with Scrapy's own scheduler in memory, interleaved in one run.

    python benchmarks/frontier_overhead.py [--rounds 5] [--pages 1500] [--links 20] [--images 0] [--json FILE]

A generated web of eight hosts on loopback, without delays, is crawled by ``scrapy crawl posters`` on SQLite; only the
setting SCHEDULER differs (and, for Scrapy's, its queue, which is to be first in, first out as well). Without images all
the work is in pages, which makes the most of any difference. Printed for each round: pages/s by Scrapy's own clock, and
CPU seconds of the crawl with its child processes, less those of a crawl of a single page. The ratios are of time, so
1.10 is 10 % overhead; at the end their medians over the rounds.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from comparison import compared, parse, write

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "posterbot"), str(TESTS / "posterbot" / "frontier")]

from crawling import ROOT, command, environment  # noqa: E402
from webs import Web  # noqa: E402

from posterbot.catalogue.database import open_catalogue  # noqa: E402
from posterbot.catalogue.schema import pages  # noqa: E402

SCHEDULERS: dict[str, dict[str, object]] = {
    "frontier": {},
    "in memory": {
        "SCHEDULER": "scrapy.core.scheduler.Scheduler",
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
    },
}


def crawl(start: str, expected: int, settings: dict[str, object]) -> tuple[float, float]:
    """Seconds between the spider's opening and its end; CPU seconds of all processes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = command(folder, "-a", f"start={start}", LOG_LEVEL="INFO", **settings)
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=log, stderr=log)
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        text = (folder / "log").read_text()
        took = re.search(r"'elapsed_time_seconds': ([\d.]+)", text)
        if process.returncode or took is None:
            sys.exit(f"benchmark: the crawl failed:\n{text[-3_000:]}")
        engine = open_catalogue(f"sqlite:///{folder}/catalogue.db", must_exist=True)
        with engine.connect() as connection:
            found = len(connection.execute(pages.select()).all())
        engine.dispose()
    if found != expected:
        sys.exit(f"benchmark: {found} pages in the catalogue instead of {expected}")
    return float(took[1]), used.ru_utime + used.ru_stime


def main() -> None:
    """Crawl in turns, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pages", type=int, default=1_500)
    parser.add_argument("--links", type=int, default=20, help="on a page, to any other")
    parser.add_argument("--images", type=int, default=0, help="on a page")
    given = parse(parser, rounds=1, pages=150)
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in SCHEDULERS}
    with (
        Web(pages=1, hosts=1, images=0, cdns=0, links=0) as single,
        Web(pages=given.pages, hosts=8, images=given.images, links=given.links) as web,
    ):
        start_up = {
            name: statistics.median(crawl(single.start, 1, settings)[1] for _ in range(3))
            for name, settings in SCHEDULERS.items()
        }
        print("CPU seconds of a crawl of one page:", ", ".join(f"{name} {cpu:.2f}" for name, cpu in start_up.items()))
        for number in range(given.rounds):
            for name in list(SCHEDULERS) if number % 2 == 0 else list(SCHEDULERS)[::-1]:
                seconds, cpu = crawl(web.start, given.pages, SCHEDULERS[name])
                took[name].append((seconds, cpu - start_up[name]))
                print(
                    f"round {number + 1}  {name:10} {given.pages / seconds:7.1f} pages/s  {seconds:6.2f} s  "
                    f"CPU {took[name][-1][1]:6.2f} s",
                    flush=True,
                )
    sides = {
        what: [[turn[place] for turn in took[name]] for name in SCHEDULERS] for place, what in ((0, "time"), (1, "CPU"))
    }
    write(given.json, {what: compared("s", ours, theirs, less=True) for what, (ours, theirs) in sides.items()})
    for place, what in enumerate(("time", "CPU")):
        ratios = [ours[place] / theirs[place] for ours, theirs in zip(*took.values(), strict=True)]
        print(f"{what}, frontier ÷ in memory: {statistics.median(ratios):.3f}", end="  ")
        print(f"(rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)})")


if __name__ == "__main__":
    main()
