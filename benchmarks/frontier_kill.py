"""A crawl that is killed fifty times: what is lost, what is doubled, what is fetched twice.

    python benchmarks/frontier_kill.py [--kills 50] [--pages 2000] [--images 2] [--seed 1] [--database sqlite]
        [--json FILE]

A generated web of six hosts and two image hosts on loopback, served by a process of its own, of whose URLs one in fifty
answers 500 or 503 at first, is crawled by real ``scrapy crawl posters`` commands: by one on SQLite, by three on
PostgreSQL (which has to be installed; a cluster in a temporary folder is started). After a random number of further
URLs, or requests, one of them gets SIGKILL, in half of the cases together with its scoring processes; every fifth time
all three. The same command is started again at once. Before each kill the victim is stopped for a moment, so that what
it has in flight can be read. At the end, by plain SQL, by the files of the store, and by the server's own log: see
tests/posterbot/frontier/kills.py. Exit code 1 where anything was wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from comparison import Comparison, parse, write

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "posterbot"), str(TESTS / "posterbot" / "frontier")]

from kills import Story, crawl_under_kills  # noqa: E402
from postgres import Cluster  # noqa: E402
from webs import Web  # noqa: E402

FLAKY = 0.02
WORKERS = {"sqlite": 1, "postgresql": 3}


def run(database: str, given: argparse.Namespace) -> tuple[Story, int, int]:
    """The story, and how many images and requests the web had."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if database == "sqlite":
            catalogue = f"sqlite:///{folder}/catalogue.db"
        else:
            cluster = Cluster()
            stack.callback(cluster.close)
            catalogue = cluster.create_database()
        web = stack.enter_context(Web(pages=given.pages, hosts=6, images=given.images, flaky=FLAKY, seed=given.seed))
        story = crawl_under_kills(
            web,
            folder,
            catalogue,
            kills=given.kills,
            workers=WORKERS[database],
            seed=given.seed,
            RETRY_BACKOFF=0.1,
            HOST_BACKOFF=0.1,
        )
        return story, len(web.images), web.count()


def main() -> None:
    """Crawl, print a table, and what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pages", type=int, default=2_000)
    parser.add_argument("--images", type=int, default=2, help="on a page")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=WORKERS, action="append")
    given = parse(parser, kills=2, pages=200)
    found: dict[str, dict[str, object]] = {}
    problems: list[str] = []
    lines: dict[str, Comparison] = {}
    for database in given.database or WORKERS:
        story, images, requests = run(database, given)
        end = story.end
        found[f"{database}, {WORKERS[database]} at work"] = {
            "kills": story.kills,
            "of these after further pages": story.after_work,
            "minutes": round(story.seconds / 60, 1),
            "pages of the web": given.pages,
            "pages in the catalogue": len(end.pages),
            "pages on lease at the kills": sum(len(taken) for _, taken in story.on_lease),
            "of these fetched, not done": story.in_flight,
            "pages fetched again": story.again,
            "images of the web": images,
            "requests in all": requests,
            "candidates": len(end.candidates),
            "images kept, with their file": len(end.kept),
            "problems": len(story.problems),
        }
        lines[database] = Comparison("problems", [len(story.problems)])
        problems += [f"{database}: {problem}" for problem in story.problems]
    print(f"{'':30}" + "".join(f"{name:>24}" for name in found))
    for what in next(iter(found.values())):
        print(f"{what:30}" + "".join(f"{column[what]!s:>24}" for column in found.values()))
    write(given.json, lines)
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
