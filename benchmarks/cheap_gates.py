"""What the gates before a request save, and what they lose: a film site crawled with all of them and with none.

    python benchmarks/cheap_gates.py [--films 500] [--rounds 1] [--pictures DIR] [-s NAME=VALUE …]
        [--json FILE]

The site (tests/film_site.py) has a page for each film and some sixty pictures on each: icons, flags, advertising,
trackers, faces, stills, posters in several sizes. It is served on loopback by a process of its own, which counts what
it is asked for. DIR holds real pictures in folders named by label (poster, film_still, photo, video_thumbnail,
portrait, banner, book_cover, product, album_cover, logo, icon); without it they are drawn. Both crawls have the same
settings but for GATES and what ``--off`` adds. Printed: requests for images and their bytes with and without gates, the
posters that only the crawl without has kept, and ``posterbot stats`` of the last crawl with gates. Bytes are counted
twice: as the site has handed them to its system, whose buffers on loopback take most of a picture at once, and as the
crawl has taken them in: of a transfer that is cut off, they are fewer.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from comparison import Comparison, compared, parse, write

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.gates import GATES
from posterbot.catalogue.queries import sightings

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "posterbot")]

from crawling import command, environment  # noqa: E402
from film_site import FilmSite  # noqa: E402
from film_site_server import Served  # noqa: E402


@dataclass
class Crawled:
    """One crawl: what the site was asked for, and the paths of the posters that were kept."""

    folder: Path
    requests: int
    bytes: int
    kept: set[str]
    seconds: float
    taken: int
    """Bytes of images that the crawl took in."""


def crawl(served: Served, folder: Path, settings: dict[str, object]) -> Crawled:
    """Crawl all of the site into ``folder``."""
    served.asked()
    begun = time.perf_counter()
    done = subprocess.run(
        command(folder, "-a", f"start={served.url}/", LOG_LEVEL="INFO", **settings),
        cwd=TESTS.parent,
        env=environment(),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"the crawl failed:\n{done.stderr[-3000:]}")
    seconds = time.perf_counter() - begun
    taken = int(re.search(r"'posterbot/bytes': (\d+)", done.stderr)[1])  # type: ignore[index]
    asked = served.asked()
    engine = open_catalogue(f"sqlite:///{folder}/catalogue.db", must_exist=True)
    kept = {_path(each.url) for each in sightings(engine, verdict="kept")}
    engine.dispose()
    return Crawled(folder, sum(map(len, asked.values())), sum(map(sum, asked.values())), kept, seconds, taken)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def compare(site: FilmSite, gated: Crawled, open_: Crawled) -> float:
    """Print the two beside each other; the share of films that have lost all their posters."""
    for name, one in (("all gates", gated), ("no gates", open_)):
        films = len(site.poster_films(one.kept))
        other = len([path for path in one.kept if site.pictures[path].film is None])
        print(
            f"{name:10} {one.requests:7,} requests {one.bytes / 1e6:8.1f} MB, {one.taken / 1e6:.1f} taken in  "
            f"posters of {films:4} films, {other} other pictures kept, {one.seconds:.0f} s"
        )
    lost = {full: site.poster_films(open_.kept, full) - site.poster_films(gated.kept, full) for full in (False, True)}
    had = len(site.poster_films(open_.kept)) or 1
    large = len(site.poster_films(open_.kept, True)) or 1
    print(
        f"requests ÷ {open_.requests / gated.requests:.2f}, bytes ÷ {open_.bytes / gated.bytes:.2f}, taken in "
        f"÷ {open_.taken / gated.taken:.2f}, films without any "
        f"poster that had one: {len(lost[False])} ({len(lost[False]) / had:.2%}), without their large one: "
        f"{len(lost[True])} ({len(lost[True]) / large:.2%})",
        flush=True,
    )
    return len(lost[False]) / had


def main() -> None:
    """Crawl and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("-s", dest="settings", action="append", default=[], metavar="NAME=VALUE", help="of both crawls")
    parser.add_argument("--off", action="append", default=[], metavar="NAME=VALUE", help="of the one without gates")
    given = parse(parser, films=20)
    both: dict[str, object] = {"GATES": ",".join(GATES)} | dict(each.split("=", 1) for each in given.settings)
    none = both | {"GATES": ""} | dict(each.split("=", 1) for each in given.off)
    site = FilmSite(given.films, given.seed)
    print(f"{len(site.pages):,} pages, {site.references:,} references to {len(site.pictures):,} pictures", flush=True)
    with tempfile.TemporaryDirectory() as scratch, Served(given.films, given.seed, given.pictures) as served:
        done: dict[str, list[Crawled]] = {"on": [], "off": []}
        lost = []
        for number in range(given.rounds):
            folder = Path(scratch) / str(number)
            crawls = {}
            for name in ("on", "off") if number % 2 == 0 else ("off", "on"):
                crawls[name] = crawl(served, folder / name, both if name == "on" else none)
            lost.append(compare(site, crawls["on"], crawls["off"]))
            for name, one in crawls.items():
                done[name].append(one)
        catalogue = f"sqlite:///{Path(scratch) / str(given.rounds - 1)}/on/catalogue.db"
        subprocess.run([sys.executable, "-m", "posterbot.cli", "stats", "--catalogue", catalogue], check=True)
    facts: dict[str, Callable[[Crawled], float]] = {
        "requests": lambda one: one.requests,
        "bytes": lambda one: one.bytes / 1e6,
        "taken in": lambda one: one.taken / 1e6,
        "seconds": lambda one: one.seconds,
    }
    lines = {
        name: compared(name, [of(one) for one in done["on"]], [of(one) for one in done["off"]], less=True)
        for name, of in facts.items()
    }
    write(given.json, lines | {"lost": Comparison("", lost)})


if __name__ == "__main__":
    main()
