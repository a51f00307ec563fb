"""The list of all benchmarks: their commands, what they need, which of their figures go into the table, and the goals.

Goals are those that were set before anything was measured; a line without one is for comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench_lines import Line, by_http, crawl, film_database, learning, mean, urls, value, worst
from bench_needs import DUMP, REAL_DATA


@dataclass(frozen=True)
class Benchmark:
    """One process."""

    name: str
    command: tuple[str, ...]
    minutes: float
    """About, on two quiet cores."""
    lines: tuple[Line, ...]
    needs: tuple[str, ...] = ()
    short: tuple[str, ...] = ("--short",)
    """Added to the command by --short."""


PICTURES = (str(REAL_DATA / "images"),) if (REAL_DATA / "images").is_dir() else ()
BENCHMARKS = (
    Benchmark(
        "crawl",
        ("crawl_vs_stock.py", *PICTURES),
        12,
        tuple(
            line
            for size in ("small", "posters")
            for peer, least in (("ImagesPipeline", 1.4), ("FilesPipeline", 0.75), ("model.predict", None))
            for line in crawl(size, peer, least)
        ),
        ("nginx",),
    ),
    Benchmark(
        "urls",
        ("urls_vs_img2dataset.py", *PICTURES),
        12,
        tuple(
            line
            for size in ("small", "posters")
            for made in ("256", "originals")
            for workers in ("1 worker", "2 workers")
            for line in urls(size, made, workers, 1.0 if (made, workers) == ("256", "2 workers") else None)
        ),
        ("nginx", "img2dataset"),
    ),
    Benchmark(
        "scoring",
        ("classifier_speed.py",),
        1,
        (
            Line("scoring, from pixels, one core", "pixels", least=500),
            Line("scoring, from pixels, one core", "pixels beside Keras", "Keras predict, one by one", 30),
            Line("scoring, from JPEGs of 1000×1500", "JPEG of quality 85", least=250),
        ),
    ),
    Benchmark("text", ("text_speed.py",), 0.3, (Line("judging by words, in batches, one core", "batches"),)),
    Benchmark(
        "wikidump",
        ("wikidump_speed.py", str(DUMP), "--copies", "6", "--rounds", "5"),
        6,
        (
            Line("wikidump, one core", "one", "bz2 alone", 0.9),
            Line("wikidump with indexed_bzip2, one core", "fast", "bz2 alone", 1.1),
            Line("wikidump, two processes", "two", "bz2 alone", 1.7),
            Line("wikidump, two processes", "two beside two", "bz2 alone, two processes"),
            Line("wikidump, one core", "one beside mwxml", "mwxml + mwparserfromhell", 3.0),
            Line("wikidump with indexed_bzip2, one core", "fast beside mwxml", "mwxml + mwparserfromhell", 3.0),
            Line("wikidump, memory of a worker", "memory", most=100),
        ),
        ("a dump",),
        ("--copies", "1", "--rounds", "1"),
    ),
    Benchmark(
        "film boxes",
        ("wikidump_parse.py", str(DUMP)),
        1,
        (
            Line("film boxes, image alone", "image beside mwparserfromhell", "mwparserfromhell"),
            Line("film boxes, image alone", "image beside wikitextparser", "wikitextparser"),
        ),
        ("a dump",),
    ),
    Benchmark(
        "export",
        ("export_vs_img2dataset.py",),
        8,
        tuple(
            Line(f"export to WebDataset, 256, {name}", f"{name}, images/s", "img2dataset", 1.0)
            for name in ("drawn", "thumbnails", "originals")
        ),
        ("img2dataset",),
    ),
    Benchmark(
        "duplicates",
        ("duplicates.py", "--speed"),
        2,
        (
            Line("duplicates of 100,000 images", "seconds", most=600),
            Line("duplicates of 100,000 images, memory", "memory", most=1024),
            Line("duplicates, near copies found", "found", least=0.98),
        ),
    ),
    Benchmark(
        "copies",
        ("duplicates.py", "--quality"),
        8,
        (
            Line("copies of posters, recall", "posters, recall", least=0.98),
            Line("copies of posters, precision", "posters, precision", least=0.99),
            Line("copies of other kinds, recall", "others, recall", least=0.98),
            Line("copies of other kinds, precision", "others, precision", least=0.99),
        ),
        ("real data",),
    ),
    *(
        Benchmark(
            f"frontier {database}",
            ("frontier_scale.py", "--database", database),
            5,
            (
                Line(
                    f"frontier, 1,000,000 URLs in, {database}",
                    value("enqueued_per_second", "URLs/s"),
                    least=5000 if database == "sqlite" else None,
                ),
                Line(
                    f"frontier, out and reported, {database}",
                    value("leased_and_finished_per_second", "URLs/s"),
                    least=1000 if database == "sqlite" else None,
                ),
                Line(
                    f"frontier, CPU of a request, {database}",
                    value("cpu_ms_per_request", "ms"),
                    most=0.3 if database == "sqlite" else None,
                ),
                Line(f"frontier, memory, {database}", value("memory_mb", "MB"), most=400),
            ),
            ("PostgreSQL",) if database == "postgresql" else (),
            ("--urls", "20000", "--leases", "2000"),
        )
        for database in ("sqlite", "postgresql")
    ),
    Benchmark(
        "frontier overhead",
        ("frontier_overhead.py",),
        4,
        (
            Line("frontier in a crawl, time", "time", "Scrapy's queue in memory", 0.91),
            Line("frontier in a crawl, CPU", "CPU", "Scrapy's queue in memory"),
        ),
    ),
    Benchmark(
        "frontier memory", ("frontier_memory.py",), 10, (Line("crawl with 1,000,000 URLs, memory", "memory", most=400),)
    ),
    Benchmark(
        "frontier kills",
        ("frontier_kill.py",),
        14,
        tuple(Line(f"50 kills, what was wrong, {database}", database, most=0) for database in ("sqlite", "postgresql")),
        ("PostgreSQL",),
    ),
    Benchmark(
        "frontier gaps",
        ("frontier_gaps.py",),
        4,
        (Line("three workers, promises to hosts broken", "broken", most=0),),
        ("PostgreSQL",),
    ),
    Benchmark(
        "learning crawl",
        ("learning_crawl.py", "--seeds", "1", "--strategies", "breadth-first,frontier yield,oracle"),
        8,
        (
            Line("requests to 90 % of the posters ÷ breadth-first's, mean", learning("ratio", mean), most=1 / 3),
            Line("the same, worst of all sites and seeds", learning("ratio", worst), most=1.1),
            Line("area under the curve ÷ oracle's, film database", learning("area", film_database), least=0.85),
        ),
        (),
        ("--seeds", "1", "--pages", "2000"),
    ),
    Benchmark(
        "learning crawl by HTTP",
        ("learning_http.py",),
        10,
        (Line("the same by HTTP, posters in 600 pages", by_http, "breadth first"),),
        (),
        ("--budget", "60", "--rounds", "1"),
    ),
    Benchmark(
        "gates",
        ("cheap_gates.py",),
        3,
        (
            Line("gates, requests for images", "requests", "no gates", 4),
            Line("gates, bytes of images", "bytes", "no gates", 5),
            Line("gates, share of films without their poster", "lost", most=0.01),
        ),
    ),
    Benchmark(
        "stores",
        ("stores_vs_stock.py",),
        3,
        (
            Line("store on a disk, each file flushed", "disk beside Scrapy", "Scrapy's, not flushed", 1.0),
            Line("store on a disk, each file flushed", "disk beside Scrapy, then sync", "Scrapy's, then sync"),
            Line("store on Google's emulator", "bucket beside Scrapy", "Scrapy's: stat + upload", 1.5),
        ),
    ),
    Benchmark(
        "store faults",
        ("store_faults.py",),
        4,
        (Line("bucket with faults: lost, doubled, damaged", "wrong", most=0),),
    ),
    Benchmark(
        "rejudge",
        ("rejudge.py",),
        6,
        (
            Line("1,000,000 images judged again", "threshold", most=10),
            Line("meanwhile, longest wait of a writer", "waited", most=1),
        ),
    ),
    Benchmark(
        "reviews",
        ("learn_from_reviews.py",),
        12,
        tuple(
            Line(f"100 reviews, gain of average precision, {label}", label, least=0)
            for label in ("album_cover", "game_box", "meme", "receipt")
        ),
        ("real data",),
    ),
    Benchmark(
        "gallery",
        ("gallery.py",),
        2,
        (
            Line("gallery of 100,000, first paint", "first paint", most=300),
            Line("gallery of 100,000, tiles blank while scrolling", "blank", most=0),
        ),
        ("chromium",),
    ),
    Benchmark(
        "start-up",
        ("start_up.py",),
        3,
        (
            Line("slowest --help of posterbot", "the slowest help of posterbot"),
            Line("largest --help of posterbot", "the largest help of posterbot"),
            Line("crawl, until its first request", "crawl until the first request", "a smallest Scrapy spider"),
        ),
    ),
    Benchmark(
        "floor",
        ("floor.py",),
        0.5,
        tuple(
            Line(f"floor: {name}", name, peer)
            for name, peer in (
                ("page", "parsel, parsing alone"),
                ("scorer", "Pillow, decode and resize"),
                ("export", "Pillow, decode, resize, encode"),
                ("wikidump", "bz2"),
                ("duplicates", "numpy, all pairs"),
                ("enqueue", "sqlite3, executemany"),
                ("lease", "breadth first"),
            )
        ),
    ),
)
