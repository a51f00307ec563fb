"""The floor under the speed of the parts: ratios of CPU time that a test holds, in half a minute.

    python benchmarks/floor.py [--rounds 5] [--only page] [--times 1] [--json FILE]

Each part of ours does its work in turns with a plain piece of C or of the standard library that does the nearest
thing to the same data, in one process: so whatever else the machine does slows both. A ratio is the least CPU time of
the peer over the least of ours, of all rounds: more is better, and one falls where ours has become slower, or the
library under both has not. ``FLOORS`` are about half of the worst that was seen in twenty measurements on two busy
cores; tests/test_bench.py fails below them.
"""

from __future__ import annotations

import argparse
import bz2
import io
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
from comparison import Comparison, parse, spread, write
from PIL import Image
from sqlalchemy import Engine

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "posterbot" / "frontier"), str(TESTS / "wikidump")]

FLOORS = {
    "page": 0.025,
    "scorer": 0.95,
    "export": 1.0,
    "wikidump": 9.0,
    "duplicates": 0.55,
    "enqueue": 0.1,
    "lease": 0.09,
}
"""Below it the test fails."""
ROUNDS, MOST_ROUNDS = 5, 10
INSERT = "INSERT OR IGNORE INTO links VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"
Work = Callable[[], object]
Pair = tuple[Work, Work]
"""Ours and the peer's, on the same data."""


@contextmanager
def page() -> Iterator[Pair]:
    """``read_page``, parsing included, beside parsel's parse and the two queries of any spider."""
    from film_site import FilmSite
    from parsel import Selector

    from posterbot.page import read_page

    pages = list(FilmSite(60).pages.values())[:40]

    def ours() -> None:
        for html in pages:
            read_page(Selector(html), "https://films.example/db/film/1")

    def peer() -> None:
        for html in pages:
            parsed = Selector(html)
            parsed.css("img::attr(src)").getall()
            parsed.css("a::attr(href)").getall()

    yield ours, peer


def posters(number: int) -> list[bytes]:
    """JPEGs of 1000 × 1500 with the detail of a photograph."""
    from conftest import encode, picture

    grain = Image.effect_noise((1000, 1500), 40).convert("RGB")
    return [encode(Image.blend(picture(1000, 1500, seed), grain, 0.2), quality=85) for seed in range(number)]


@contextmanager
def scorer() -> Iterator[Pair]:
    """All that a crawl asks of an image (two hashes, quality, scores, embedding) beside Pillow's decode and resize."""
    from models.analysis import analyse
    from models.registry import load_model

    model, files = load_model(), posters(8)

    def peer() -> None:
        for data in files:
            Image.open(io.BytesIO(data)).convert("RGB").resize((model.side, model.side), Image.Resampling.BICUBIC)

    yield lambda: analyse(files, model), peer


@contextmanager
def export() -> Iterator[Pair]:
    """The picture of an image as a dataset has it, beside Pillow's decode, resize, encode."""
    from posterbot.export.options import Options
    from posterbot.export.pictures import prepare

    options, files = Options("webdataset", size=256), posters(8)

    def ours() -> None:
        for data in files:
            prepare(data, options, jpeg=True)

    def peer() -> None:
        for data in files:
            image = Image.open(io.BytesIO(data)).convert("RGB").resize((171, 256), Image.Resampling.BICUBIC)
            image.save(io.BytesIO(), "JPEG", quality=90)

    yield ours, peer


@contextmanager
def wikidump() -> Iterator[Pair]:
    """Finding and reading film boxes in a dump's text, beside decompressing that text."""
    from dumps import END, SITEINFO, film
    from dumps import page as article

    from wikidump.extract import Extractor
    from wikidump.read import Seen, pages

    chance = random.Random(1)
    words = ["".join(chance.choices("etaoinshrdlu", k=chance.randint(2, 9))) for _ in range(4000)]
    texts = []
    for number in range(600):  # one page in twenty is a film's, and all have links and templates
        linked = (f"[[{word}]]" if chance.random() < 0.05 else word for word in chance.choices(words, k=600))
        body = " ".join(linked) + " {{cite web|url=https://a.example|title=x}}"
        whole = film(number).replace("A film.", body) if number % 20 == 0 else article(f"A{number}", body, 0, number)
        texts.append(whole)
    xml = (SITEINFO + "".join(texts) + END).encode()
    packed, extractor = bz2.compress(xml), Extractor("enwiki")

    def ours() -> None:
        found = [row for one in pages([xml], extractor.find, Seen()) for row in extractor.rows(one)]
        assert len(found) == 30, len(found)

    yield ours, lambda: bz2.decompress(packed)


@contextmanager
def duplicates() -> Iterator[Pair]:
    """512 new perceptual hashes, a tenth near others, put to 60,000, beside numpy's comparison of each with all."""
    from posterbot.duplicates.bands import Hashes

    chance, turns = np.random.default_rng(1), count()
    known = chance.integers(0, 2**64, 60_000, np.uint64)
    new = chance.integers(0, 2**64, (64, 512), np.uint64)
    new[:, ::10] = known[: new[:, ::10].size].reshape(new[:, ::10].shape) ^ np.uint64(0b1011)
    table = Hashes(32)
    table.add(known)

    def ours() -> None:
        near = table.add_new(new[next(turns) % len(new)])
        assert len(near.query) >= 52, len(near.query)

    def peer() -> None:
        for one in np.array_split(new[0], 32):
            np.nonzero(np.bitwise_count(one[:, np.newaxis] ^ known) <= 8)

    yield ours, peer


@contextmanager
def catalogue() -> Iterator[Engine]:
    """A new one, on a disk."""
    from posterbot.catalogue.database import open_catalogue

    with tempfile.TemporaryDirectory() as folder:
        engine = open_catalogue(f"sqlite:///{folder}/catalogue.db")
        yield engine
        engine.dispose()


def urls(turn: int, number: int) -> list[str]:
    """Of forty hosts and five kinds."""
    return [f"https://www.site-{n % 40}.example/{n % 5}/page-{turn}-{n}.html" for n in range(number)]


@contextmanager
def enqueue() -> Iterator[Pair]:
    """2,000 links into the frontier by the hundred, by yield, beside sqlite3's ``executemany`` of the same rows."""
    from frontier_cases import Part, link

    with catalogue() as engine, tempfile.TemporaryDirectory() as folder:
        part, turns = Part(engine, urls_per_host=10**6, by_yield=True), count()
        plain = sqlite3.connect(f"{folder}/plain.db")
        plain.execute("PRAGMA journal_mode = WAL")
        columns = "url, fingerprint, host, pattern, priority, request, run"
        plain.execute(f"CREATE TABLE links (id INTEGER PRIMARY KEY, {columns})")
        plain.execute("CREATE UNIQUE INDEX known ON links (run, fingerprint)")

        def ours() -> None:
            links = [link(url) for url in urls(next(turns), 2000)]
            for start in range(0, len(links), 100):
                with part.begin() as connection:
                    part.frontier.add(connection, [links[start : start + 100]])

        def peer() -> None:
            links = [link(url) for url in urls(next(turns), 2000)]
            rows = [(one.url, one.fingerprint, one.host, one.pattern, one.priority, one.request, 1) for one in links]
            for start in range(0, len(rows), 100):
                with plain:
                    plain.executemany(INSERT, rows[start : start + 100])

        yield ours, peer
        plain.close()


@contextmanager
def lease() -> Iterator[Pair]:
    """Four times 128 URLs out of the frontier and reported, chosen by yield, beside breadth first."""
    from frontier_cases import Part, link

    from posterbot.frontier.records import Finished, Wish

    def worker(engine: Engine, by_yield: bool) -> Work:
        part = Part(engine, urls_per_host=10**6, fruitless=10**6, by_yield=by_yield)
        part.do(part.frontier.add, [link(url) for url in urls(0, 512 * (MOST_ROUNDS + 1))])

        def work() -> None:
            for _ in range(4):
                leased = part.do(part.frontier.lease, Wish(128)).leased
                assert len(leased) == 128, len(leased)
                done = [Finished(one.key, new_images=1, kept=number % 3) for number, one in enumerate(leased)]
                with part.begin() as connection:
                    part.frontier.finish(connection, done)

        return work

    with catalogue() as one, catalogue() as other:
        yield worker(one, True), worker(other, False)


PAIRS: dict[str, Callable[[], object]] = {
    each.__name__: each for each in (page, scorer, export, wikidump, duplicates, enqueue, lease)
}


def measure(name: str, rounds: int = ROUNDS) -> Comparison:
    """CPU milliseconds of each round, and the ratio of the least of both."""
    ours: list[float] = []
    peer: list[float] = []
    with PAIRS[name]() as pair:  # type: ignore[attr-defined]
        for work in pair:
            work()  # the first time is everybody's slowest
        for number in range(rounds):
            for work, times in ((pair[0], ours), (pair[1], peer))[:: 1 if number % 2 else -1]:
                began = time.process_time()
                work()
                times.append(1000 * (time.process_time() - began))
    return Comparison("CPU ms", ours, peer, [min(peer) / max(min(ours), 1e-6)])


def main() -> None:
    """Measure and print; exit code 1 where a ratio is below its floor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, choices=range(1, MOST_ROUNDS + 1), default=ROUNDS, metavar="N")
    parser.add_argument("--times", type=int, default=1, help="measure all so often, to see how the ratios spread")
    parser.add_argument("--only", choices=sorted(PAIRS), action="append")
    given = parse(parser, rounds=2)
    found: dict[str, Comparison] = {}
    for _ in range(given.times):
        for name in given.only or PAIRS:
            one = measure(name, given.rounds)
            known = found.setdefault(name, Comparison("CPU ms", [], [], []))
            known.ours.extend(one.ours)
            known.peer.extend(one.peer)
            known.ratio.extend(one.ratio)
            print(f"{name:12} × {one.ratio[0]:.3f}  floor {FLOORS[name]:.3f}", flush=True)
    for name, one in found.items():
        print(f"{name:12} × {spread(one.ratio)}, worst {min(one.ratio):.3f}, CPU ms {spread(one.ours)}")
    write(given.json, found)
    low = [name for name, one in found.items() if min(one.ratio) < FLOORS[name]]
    sys.exit(f"below the floor: {', '.join(low)}" if low else 0)


if __name__ == "__main__":
    main()
