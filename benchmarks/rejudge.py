"""How long it takes to judge a million images again, and how long others wait for the database meanwhile.

    python benchmarks/rejudge.py [--images 1000000] [--database sqlite] [--keep FILE]
        [--json FILE]

A generated catalogue (25 labels, scores drawn at random, ten images a page) is judged by another threshold, by other
labels, and by way of trial. While that goes on, another process writes a row every 20 ms, as a crawl does, and notes
how long its longest transaction took. Then what newly passes is queued to be fetched, and a person asks for images to
review. PostgreSQL has to be installed for ``--database postgresql``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import numpy as np
from comparison import Comparison, parse
from comparison import write as write_figures
from sqlalchemy import Engine, Table, insert, text, update

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from postgres import Cluster  # noqa: E402

from posterbot.catalogue.database import IMMEDIATE, open_catalogue  # noqa: E402
from posterbot.catalogue.records import now  # noqa: E402
from posterbot.catalogue.schema import (  # noqa: E402
    candidates,
    images,
    models,
    pages,
    policies,
    runs,
    scores,
    sources,
    tombstones,
    verdicts,
)
from posterbot.rejudge import rejudge as judging_again  # noqa: E402
from posterbot.rejudge.rejudge import rejudge as judge  # noqa: E402
from posterbot.review.picking import next_images  # noqa: E402
from posterbot.review.quality import quality  # noqa: E402

LABELS = [f"label {n}" for n in range(24)] + ["poster"]
AT_ONCE = 20_000
WRITE_SECONDS = 0.02
Answer = TypeVar("Answer")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--keep", type=Path, help="an SQLite catalogue to use, and to make where there is none")
    parser.add_argument("--writer", help=argparse.SUPPRESS)
    given = parse(parser, images=5_000)
    if given.writer is not None:
        write(given.writer)
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{given.keep or folder / 'catalogue.db'}"
        if given.database == "postgresql":
            cluster = Cluster()
            stack.callback(cluster.close)
            url = cluster.create_database()
        engine = open_catalogue(url)
        stack.callback(engine.dispose)
        if not (given.keep and number_of(engine)):
            print(f"{given.images:,} images in {timed(lambda: build(engine, given.images))[0]:.0f} s", flush=True)
        write_figures(given.json, measure(engine, url))


def measure(engine: Engine, url: str) -> dict[str, Comparison]:
    """All of it, on a catalogue that is there."""
    took: list[float] = []
    waits: list[float] = []
    print(f"{number_of(engine):,} images, {engine.dialect.name}")
    # What is queued is measured apart: it is no part of judging.
    queueing, judging_again.refetch = judging_again.refetch, lambda *_, **__: None
    print("| | seconds | CPU seconds | newly kept | newly dropped | longest wait of a writer, s |")
    print("|---|---|---|---|---|---|")
    for name, asked in (
        ("threshold 0.3, tried", {"threshold": 0.3, "dry_run": True}),
        ("threshold 0.3", {"threshold": 0.3}),
        ("labels poster and label 3", {"labels": "poster,label 3"}),
        ("the same again", {}),
    ):
        cpu = time.process_time()
        seconds, done, waited = beside_a_writer(url, lambda asked=asked: judge(engine, author="benchmark", **asked))  # type: ignore[misc]
        cpu = time.process_time() - cpu
        took.append(seconds)
        waits.append(waited)
        print(
            f"| {name} | {seconds:.1f} | {cpu:.1f} | {done.newly_kept:,} | {done.newly_dropped:,} | {waited:.2f} |",
            flush=True,
        )
    judging_again.refetch = queueing
    seconds, done, waited = beside_a_writer(url, lambda: judge(engine, author="benchmark"))
    waits.append(waited)
    assert done.bytes is not None
    number = sum(of.images for of in done.bytes.runs)
    print(f"queueing {number:,} images to be fetched: {seconds:.1f} s; a writer waited {waited:.2f} s at most")
    times = sorted(timed(lambda seed=seed: next_images(engine, 20, seed=seed))[0] for seed in range(21))  # type: ignore[misc]
    print(f"20 images to review: {1000 * times[10]:.0f} ms (median of 21; {1000 * times[-1]:.0f} ms the longest)")
    print(f"quality of all: {timed(lambda: quality(engine))[0]:.1f} s")
    tried, threshold, labels, _ = took
    values = {"tried": tried, "threshold": threshold, "labels": labels, "waited": max(waits)}
    return {name: Comparison("s", [value]) for name, value in values.items()}


def beside_a_writer(url: str, call: Callable[[], Answer]) -> tuple[float, Answer, float]:
    """Seconds, the answer, and the longest that a writer waited meanwhile."""
    with subprocess.Popen(
        [sys.executable, __file__, "--writer", url], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        seconds, answer = timed(call)
        return seconds, answer, float(other.communicate(b"\n")[0])


def timed(call: Callable[[], Answer]) -> tuple[float, Answer]:
    """Seconds, and the answer."""
    began = time.perf_counter()
    answer = call()
    return time.perf_counter() - began, answer


def write(url: str) -> None:
    """A row every now and then, until somebody says stop; then how long the longest transaction took."""
    import threading

    engine = open_catalogue(url)
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
    print("ready", flush=True)
    longest, number = 0.0, 0
    while not stop.wait(WRITE_SECONDS):
        began = time.perf_counter()
        with engine.execution_options(**IMMEDIATE).begin() as connection:
            number += 1
            row = {"hash": np.random.default_rng().bytes(32), "kind": "benchmark", "at": now()}
            connection.execute(insert(tombstones), row)
        longest = max(longest, time.perf_counter() - began)
    print(longest)


def number_of(engine: Engine) -> int:
    """Images that are there."""
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM images")) or 0)


def build(engine: Engine, number: int) -> None:
    """A catalogue of so many images, judged once; 3 in 1,000 of those dropped are blurred."""
    chance = np.random.default_rng(0)
    at = now()
    with engine.begin() as connection:
        run = {"spider": "posters", "arguments": {}, "version": "1", "started_at": at, "job": "job", "stopping": False}
        connection.execute(insert(runs).values(**run, finish_reason="finished"))
        connection.execute(insert(models).values(name="web-images", hash="a" * 64, labels=LABELS))
        rule = {"labels": ["poster"], "threshold": 0.5, "author": "", "origin": "arguments", "at": at}
        connection.execute(insert(policies).values(run_id=1, model_id=1, **rule))
        connection.execute(insert(sources), [{"name": f"host-{n}.example"} for n in range(100)])
    for start in range(0, number, AT_ONCE):
        ids = range(start + 1, min(start + AT_ONCE, number) + 1)
        draws = chance.gamma(0.1, size=(len(ids), len(LABELS))) + 1e-6
        table = (draws / draws.sum(1, keepdims=True)).astype("<f4")
        keep = table[:, -1] >= 0.5
        best = table.argmax(1)
        sha256s = [chance.bytes(32).hex() for _ in ids]
        rows: dict[Table, list[dict[str, object]]] = {
            table_: [] for table_ in (pages, images, scores, verdicts, candidates)
        }
        page = {"run_id": 1, "status": 200, "title": "", "referrer": "", "depth": 0, "data_uris": 0, "fetched_at": at}
        rows[pages] = [
            {
                "id": n // 10 + 1,
                "url": f"https://host-{n // 10 % 100}.example/{n}",
                "source_id": n // 10 % 100 + 1,
                **page,
            }
            for n in ids
            if n % 10 == 0 or n == 1
        ]
        texts = dict.fromkeys(("alt", "title", "caption", "content_type", "etag", "last_modified", "final_url"), "")
        for place, (n, sha256) in enumerate(zip(ids, sha256s, strict=True)):
            path = f"{sha256[:2]}/{sha256[2:4]}/{sha256}.jpg"
            size = {"bytes": 90_000, "format": "JPEG", "width": 600, "height": 900, "first_seen_at": at}
            measured = {"sharpness": 5.0 if n % 300 == 0 else 500.0, "spread": 50.0, "entropy": 7.0}
            kept = bool(keep[place])
            rows[images].append(
                {
                    "id": n,
                    "sha256": sha256,
                    "phash": sha256[:16],
                    "path": path if kept else None,
                    "dropped_path": None if kept else f"dropped/{path}",
                    **size,
                    **measured,
                }
            )
            rows[scores].append({"image_id": n, "model_id": 1, "vector": table[place]})
            why = "relevant" if kept else "not_relevant"
            score = float(table[place, -1])
            rows[verdicts].append(
                {
                    "image_id": n,
                    "policy_id": 1,
                    "keep": kept,
                    "reason": why,
                    "label": LABELS[best[place]],
                    "score": score,
                }
            )
            rows[candidates].append(
                {
                    "page_id": n // 10 + 1,
                    "image_id": n,
                    "source_id": n // 10 % 100 + 1,
                    "url": f"https://host-{n // 10 % 100}.example/{n}.jpg",
                    "found_by": "img",
                    "alternatives": [],
                    "fetched_at": at,
                    **texts,
                }
            )
        with engine.begin() as connection:
            for table_, some in rows.items():
                if some:
                    connection.execute(insert(table_), some)
    with engine.begin() as connection:
        connection.execute(update(runs).values(finished_at=at))
        if engine.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))


if __name__ == "__main__":
    main()
