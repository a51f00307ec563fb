"""Three workers, twenty hosts that want to be asked slowly: the smallest gap that each of them saw.

    python benchmarks/frontier_gaps.py [--pages 1200] [--images 2] [--times 60] [--seed 1] [--json FILE]

A generated web on loopback is crawled by three ``scrapy crawl posters`` on one PostgreSQL (which has to be installed).
Eleven of its hosts and one of two that hold only images have a ``Crawl-delay``; the others, and two of these, have one
in DOWNLOAD_SLOTS. After every 300 requests the busiest worker is killed and started again. Measured are the moments at
which the kernel of the web's server received the requests: pages, images and robots.txt together. The crawl ends when
each host was asked so many ``times``, or when nothing is left. Exit code 1 where a gap was shorter than promised.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from comparison import Comparison, parse, write

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "posterbot"), str(TESTS / "posterbot" / "frontier")]

from gaps import Gaps, crawl_politely  # noqa: E402
from postgres import Cluster  # noqa: E402
from test_gaps import CRAWL_DELAYS, FOR_IMAGES, SLOTS  # noqa: E402
from webs import Web  # noqa: E402

WORKERS, KILL_EVERY = 3, 300


def show(gaps: Gaps, told_by: str) -> None:
    """One line."""
    print(
        f"{gaps.host:12}{told_by:22}{gaps.promise:9.3f}{gaps.smallest:10.4f}{statistics.median(gaps.seen):9.3f}"
        f"{len(gaps.seen) + 1:10}{gaps.workers:9}  {'' if gaps.kept else 'BROKEN'}"
    )


def main() -> None:
    """Crawl, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=1_200)
    parser.add_argument("--images", type=int, default=2, help="on a page")
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parse(parser, pages=300, times=8)
    crawl_delays, slots = CRAWL_DELAYS | FOR_IMAGES[0], SLOTS | FOR_IMAGES[1]
    began = time.monotonic()
    with (
        closing(Cluster()) as cluster,
        tempfile.TemporaryDirectory() as folder,
        Web(pages=given.pages, hosts=20, images=given.images, crawl_delays=crawl_delays, seed=given.seed) as web,
    ):
        asked = crawl_politely(
            web,
            Path(folder),
            cluster.create_database(),
            crawl_delays=crawl_delays,
            slots=slots,
            workers=WORKERS,
            kill_every=KILL_EVERY,
            until=given.times,
        )
        requests, agents = web.count(), len({request.agent for request in web.log()})
    print(f"{requests} requests by {agents} workers in {time.monotonic() - began:.0f} s; in seconds:")
    print(f"{'host':12}{'told by':22}{'promise':>9}{'smallest':>10}{'median':>9}{'requests':>10}{'workers':>9}")
    for gaps in asked:
        ways = [
            name
            for name, told in (("robots.txt", crawl_delays), ("DOWNLOAD_SLOTS", slots))
            if told.get(gaps.host) == gaps.promise
        ]
        show(gaps, ", ".join(ways))
    broken = [gaps for gaps in asked if not gaps.kept]
    print(f"{len(broken)} of {len(asked)} promises broken")
    write(given.json, {"broken": Comparison("hosts", [len(broken)])})
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
