"""A crawl by yield beside one breadth first, over HTTP: a film site of thousands of pages, a budget of some hundreds.

    python benchmarks/learning_http.py [--size 0.04] [--budget 600] [--rounds 2] [--json FILE]

The site is the film database of ``link_graphs``: its links with their tag paths and texts as HTML, its posters and
other pictures drawn from those of the sample site. It is served on loopback by a process of its own. Both crawls are
``scrapy crawl posters`` with the settings that ship, each from the front page, one after the other, and in the other
order in the next round. After ``budget`` pages they end.

Printed first is how many posters were found by yield for each one breadth first, after so many pages: different
pictures kept that are posters of the site. Then images and CPU seconds (of the crawl with its processes; at one CPU a
page takes what it takes) by each.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from time import time
from urllib.parse import urlsplit

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
sys.path.append(str(ROOT / "tests"))

from film_site_pictures import Pictures  # noqa: E402
from link_graphs.film_database import FilmDatabase, film_database  # noqa: E402
from link_graphs.site import Site  # noqa: E402
from sqlalchemy import select  # noqa: E402

from posterbot.catalogue.database import open_catalogue  # noqa: E402
from posterbot.catalogue.schema import candidates, images, pages, verdicts  # noqa: E402

STRATEGIES = ("yield", "breadth_first")
POSTER, OTHER = (200, 300), (240, 160)
OTHERS = ("still", "portrait", "product")
_SKIN = 3
"""Steps of a tag path that all have."""


# --- the site -------------------------------------------------------------------------------------------------------


def bodies(size: float, seed: int) -> tuple[dict[str, bytes], dict[str, tuple[str, int, tuple[int, int]]]]:
    """Path with query → page; path → picture to draw: its kind, number and size."""
    site = film_database(np.random.default_rng(seed), FilmDatabase(size=size))
    paths = [_path(url) for url in site.urls]
    drawn: dict[str, tuple[str, int, tuple[int, int]]] = {}
    html: dict[str, bytes] = {}
    for page, path in enumerate(paths):
        shown = [(f"/posters/{poster}.jpg", ("poster", int(poster), POSTER)) for poster in site.shown(page)]
        for number in range(max(0, int(site.images[page]) - len(shown))):
            cover = number < site.covers[page]
            kind = "product" if cover else OTHERS[(page + number) % len(OTHERS)]
            shown.append((f"/pictures/{page}-{number}.jpg", (kind, 10 * page + number, OTHER)))
        drawn |= dict(shown)
        html[path] = _html(site, page, paths, [picture for picture, _ in shown]).encode()
    return html, drawn


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _html(site: Site, page: int, paths: Sequence[str], shown: Sequence[str]) -> str:
    title = escape(site.words[page])
    links = site.links(page)
    body = []
    each = zip(site.paths[links].tolist(), site.targets[links].tolist(), site.texts[links].tolist(), strict=True)
    for number, block in groupby(each, key=lambda link: link[0]):
        steps = site.path_names[number].split("/")[_SKIN:]
        around, item = steps[:-2], steps[-2:]
        body += [_open(step) for step in around]
        for _, target, text in block:
            last = _open(item[-1])[:-1] + f' href="{escape(paths[target])}">'
            body += [_open(item[0]) if len(item) > 1 else "", last, escape(site.words[text])]
            body += [_close(step) for step in reversed(item)]
        body += [_close(step) for step in reversed(around)]
    pictures = "".join(f'<p><img src="{path}" alt="{title}"></p>' for path in shown)
    skin = site.path_names[0].split("/")[1:_SKIN] if site.path_names else []
    return (
        f"<!doctype html><html><head><title>{title}</title></head>{''.join(map(_open, skin))}"
        f"<h1>{title}</h1>{pictures}{''.join(body)}{''.join(map(_close, reversed(skin)))}</html>"
    )


def _open(step: str) -> str:
    tag, *classes = step.split(".")
    tag, _, name = tag.partition("#")
    return f"<{tag}" + (f' id="{name}"' if name else "") + (f' class="{" ".join(classes)}"' if classes else "") + ">"


def _close(step: str) -> str:
    return f"</{step.partition('.')[0].partition('#')[0]}>"


def _draw(asked: tuple[str, int, tuple[int, int]]) -> bytes:
    return Pictures().draw(*asked)


def serve(size: float, seed: int) -> None:
    """On a free port of loopback, named on the first line of output, until the input ends."""
    html, drawn = bodies(size, seed)
    with ProcessPoolExecutor() as pool:
        pictures = dict(zip(drawn, pool.map(_draw, drawn.values(), chunksize=50), strict=True))
    log: list[tuple[float, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            status, kind = 200, "text/html; charset=utf-8"
            if self.path == "/-/log":
                body = json.dumps(log).encode()
                log.clear()
            elif (body := html.get(self.path, b"")) or (body := pictures.get(self.path, b"")):
                log.append((time(), self.path))
                kind = kind if self.path in html else "image/jpeg"
            else:
                status, body = 404, b"nothing here"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    posters = sum(kind == "poster" for kind, _, _ in drawn.values())
    print(f"http://127.0.0.1:{server.server_address[1]} {len(html)} {len(drawn)} {posters}", flush=True)
    sys.stdin.read()


@contextmanager
def served(size: float, seed: int) -> Iterator[tuple[str, int, int, int]]:
    """URL; pages, pictures and posters of the site."""
    words = [sys.executable, __file__, "--serve", "--size", str(size), "--seed", str(seed)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url, *numbers = process.stdout.readline().split()
        try:
            yield url, *map(int, numbers)  # type: ignore[misc]
        finally:
            process.kill()


# --- the crawls -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Crawl:
    """What one crawl took, and brought."""

    strategy: str
    pages: int
    requests: int
    images: int
    seconds: float
    """From the first request to the last."""
    cpu: float
    """Seconds, start and end included."""
    posters: list[int]
    """Found after so many pages, 0 and on."""


def crawl(url: str, strategy: str, budget: int) -> Crawl:
    """One crawl of ``budget`` pages."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "FRONTIER_STRATEGY": strategy,
            "CLOSESPIDER_ITEMCOUNT": budget,
            "IMAGES_STORE": f"{folder}/images",
            "CATALOGUE_URL": f"sqlite:///{folder}/catalogue.db",
            "SPOOL": f"{folder}/spool",
            "REPORTS": f"{folder}/runs",
            "LOG_LEVEL": "WARNING",
            "TELNETCONSOLE_PORT": "0",
        }
        words = [sys.executable, "-m", "scrapy", "crawl", "posters", "-a", f"start={url}/"]
        words += [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with urllib.request.urlopen(f"{url}/-/log", timeout=60) as answer:
            log: list[tuple[float, str]] = json.load(answer)
        kept = _kept(f"sqlite:///{folder}/catalogue.db", url)
    asked = [path for _, path in log if not path.endswith(".jpg")]
    posters, seen = [0], set[str]()
    for path in asked:
        seen |= kept.get(path, set())
        posters.append(len(seen))
    return Crawl(
        strategy=strategy,
        pages=len(asked),
        requests=len(log),
        images=len(log) - len(asked),
        seconds=log[-1][0] - log[0][0],
        cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        posters=posters,
    )


def _kept(catalogue: str, url: str) -> dict[str, set[str]]:
    """Path of a page → its posters that were kept."""
    engine = open_catalogue(catalogue, must_exist=True)
    statement = (
        select(pages.c.url, candidates.c.url)
        .join(candidates, candidates.c.page_id == pages.c.id)
        .join(images, images.c.id == candidates.c.image_id)
        .join(verdicts, verdicts.c.image_id == images.c.id)
        .where(verdicts.c.keep, candidates.c.url.contains("/posters/"))
    )
    found: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for page, image in connection.execute(statement):
            found.setdefault(page.removeprefix(url), set()).add(image)
    engine.dispose()
    return found


def main() -> None:
    """Crawl, print, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=0.04, help="of the site; 1 has some 55,000 pages")
    parser.add_argument("--budget", type=int, default=600, help="pages")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.size, given.seed)
        return
    crawls: list[Crawl] = []
    with served(given.size, given.seed) as (url, number, pictures, posters):
        for round_ in range(given.rounds):
            for strategy in STRATEGIES if round_ % 2 == 0 else STRATEGIES[::-1]:
                crawls.append(crawl(url, strategy, given.budget))
    of = {strategy: [one for one in crawls if one.strategy == strategy] for strategy in STRATEGIES}
    marks = [given.budget * part // 6 for part in range(1, 7)]
    means = {
        strategy: [
            statistics.mean(one.posters[min(mark, len(one.posters) - 1)] for one in of[strategy]) for mark in marks
        ]
        for strategy in STRATEGIES
    }
    print("posters by yield for one breadth first, after so many pages:")
    ratios = [f"{good / plain:.2f}" if plain else "none yet" for good, plain in zip(*means.values(), strict=True)]
    print("  ".join(f"{mark}: {ratio}" for mark, ratio in zip(marks, ratios, strict=True)))
    cpu = {strategy: statistics.median(one.cpu / one.pages for one in of[strategy]) for strategy in STRATEGIES}
    print(f"CPU seconds a page, by yield ÷ breadth first: {cpu['yield'] / cpu['breadth_first']:.2f}")
    print(f"\nsite: {number:,} pages, {pictures:,} pictures, {posters:,} of them posters; {os.cpu_count()} CPUs")
    print(f"{'':14}" + "".join(f"{mark:>7}" for mark in marks) + "   requests images/s CPU s/page CPU s/image")
    for strategy, some in of.items():
        figures = (
            statistics.mean(one.requests for one in some),
            statistics.median(one.images / one.seconds for one in some),
            cpu[strategy],
            statistics.median(one.cpu / max(1, one.images) for one in some),
        )
        print(
            f"{strategy:14}" + "".join(f"{found:>7.0f}" for found in means[strategy])
            + f"{figures[0]:>11.0f}{figures[1]:>9.1f}{figures[2]:>11.3f}{figures[3]:>12.3f}"
        )  # fmt: skip
    if given.json:
        told = {
            "site": {"pages": number, "pictures": pictures, "posters": posters},
            "crawls": list(map(asdict, crawls)),
        }
        given.json.write_text(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
