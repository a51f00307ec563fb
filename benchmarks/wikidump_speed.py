"""wikidump beside plain decompression and beside mwxml + mwparserfromhell, interleaved in one run.

    python benchmarks/wikidump_speed.py DUMP [--copies 3] [--rounds 3] [--json FILE]

DUMP is a real multistream dump (.xml.bz2). Its streams are repeated ``copies`` times in random orders behind the first
one, which makes a larger dump of real pages in the temporary folder. Each program reads it in a process of its own, in
turns. Printed: MB/s of decompressed text by CPU time (by the clock for those with two processes), the median over the
rounds of the ratio to plain bz2 in the same round, and the largest resident memory of a process.
"""

from __future__ import annotations

import argparse
import bz2
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from comparison import Comparison, parse, write

from wikidump import dump, streams
from wikidump.run import run_here, run_in_processes
from wikidump.units import Job, Report

BLOCK = 256 * 1024
UNIT = 2 << 20
"""A real dump has thousands of units for two processes to share; this small one shall have some, too."""


def plain(path: str, start: int = 0, end: int | None = None) -> tuple[int, int]:
    """Nothing but decompression with the standard library, stream by stream: (bytes of text, hits)."""
    size, decompressor = 0, bz2.BZ2Decompressor()
    with Path(path).open("rb") as file:
        file.seek(start)
        while data := file.read(BLOCK if end is None else min(BLOCK, end - file.tell())):
            while data:
                if decompressor.eof:
                    decompressor = bz2.BZ2Decompressor()
                size += len(decompressor.decompress(data))
                data = decompressor.unused_data
    return size, 0


def plain_twice(path: str) -> tuple[int, int]:
    """The same by two processes, a half each: what this machine can give at the moment."""
    data = Path(path).read_bytes()
    match = streams.MAGIC.search(data, len(data) // 2)
    assert match is not None
    halves = [(path, 0, match.start()), (path, match.start(), len(data))]
    with get_context("spawn").Pool(2) as pool:
        return sum(size for size, _ in pool.starmap(plain, halves)), 0


def wikidump(path: str, workers: int, fast: bool) -> tuple[int, int]:
    """Rows of all units as shards on disk."""
    reports: list[Report] = []

    def done(unit: object, outcome: Report | str) -> None:
        assert isinstance(outcome, Report), outcome
        reports.append(outcome)

    if workers > 1:
        dump.UNIT["bz2"] = UNIT
    with tempfile.TemporaryDirectory() as folder:
        planned = dump.units([dump.open_dump(path, wiki="enwiki")])
        job = Job(folder, fast=fast)
        if workers == 1:
            run_here(planned, job, lambda *added: None, done)
        else:
            run_in_processes(planned, job, workers, lambda *added: None, done)
    return sum(report.text_bytes for report in reports), sum(report.rows for report in reports)


def mwxml_on_hits(path: str) -> tuple[int, int]:
    """The usual way in Python: mwxml, and mwparserfromhell for pages that may have a box."""
    import mwparserfromhell
    import mwxml

    hits = 0
    with bz2.open(path) as file:
        for page in mwxml.Dump.from_file(file):
            if page.namespace != 0 or page.redirect:
                continue
            for revision in page:
                text = revision.text or ""
                if "nfobox film" in text or "nfobox Film" in text:
                    for template in mwparserfromhell.parse(text).filter_templates():
                        if template.name.strip().replace("_", " ").casefold() == "infobox film":
                            hits += 1
                            _ = str(template.get("image").value) if template.has("image") else ""
    return 0, hits


SUBJECTS: dict[str, tuple[str, Callable[[str], tuple[int, int]]]] = {
    "bz2": ("plain bz2", plain),
    "one": ("wikidump, bz2", lambda path: wikidump(path, 1, False)),
    "fast": ("wikidump, indexed_bzip2", lambda path: wikidump(path, 1, True)),
    "two-bz2": ("plain bz2, 2 processes", plain_twice),
    "two": ("wikidump, bz2, 2 processes", lambda path: wikidump(path, 2, False)),
    "two-fast": ("wikidump, indexed_bzip2, 2 processes", lambda path: wikidump(path, 2, True)),
    "mwxml": ("mwxml + mwparserfromhell on hits", mwxml_on_hits),
}


def measure(subject: str, path: str) -> None:
    """Run one subject here and print what it took."""
    clock, cpu = time.perf_counter(), time.process_time()
    size, hits = SUBJECTS[subject][1](path)
    wall, cpu = time.perf_counter() - clock, time.process_time() - cpu
    memory = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1000
    if subject.startswith("two"):
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    seconds = wall if subject.startswith("two") else cpu
    print(json.dumps({"size": size, "hits": hits, "seconds": seconds, "wall": wall, "memory": memory}))


def larger(source: Path, copies: int, target: Path) -> None:
    """The streams of ``source`` several times, in random orders, between its first and its last."""
    data = source.read_bytes()
    offsets = [match.start() for match in streams.MAGIC.finditer(data)]
    bodies = [data[a:b] for a, b in pairwise(offsets[1:])]
    order = random.Random(1)
    with target.open("wb") as file:
        file.write(data[: offsets[1]])
        for _ in range(copies):
            order.shuffle(bodies)
            file.write(b"".join(bodies))
        file.write(data[offsets[-1] :])


def main() -> None:
    """Build, run in turns, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--subject", choices=SUBJECTS, help=argparse.SUPPRESS)
    given = parse(parser, copies=1, rounds=1)
    if given.subject:
        measure(given.subject, str(given.dump))
        return
    subjects = [name for name in SUBJECTS if "fast" not in name or streams.HAS_FAST]
    results: dict[str, list[dict[str, float]]] = {name: [] for name in subjects}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "enwiki-20260801-large.xml.bz2"
        larger(given.dump, given.copies, path)
        for number in range(given.rounds):
            for name in subjects if number % 2 == 0 else subjects[::-1]:
                command = [sys.executable, __file__, str(path), "--subject", name]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                results[name].append(json.loads(done.stdout))
        packed = path.stat().st_size
    size = results["bz2"][0]["size"]
    print(f"{packed / 1e6:.1f} MB bz2, {size / 1e6:.1f} MB of text, {given.rounds} rounds")
    print(f"{'':38}{'MB/s':>7}{'to bz2':>8}  {'rounds':20}{'hits':>6}{'memory':>9}")
    for name in subjects:
        took = results[name]
        base = [each["wall" if name.startswith("two") else "seconds"] for each in results["bz2"]]
        ratios = [one / other["seconds"] for one, other in zip(base, took, strict=True)]
        rate = size / 1e6 / statistics.median(each["seconds"] for each in took)
        print(
            f"{SUBJECTS[name][0]:38}{rate:7.1f}{statistics.median(ratios):8.2f}  "
            f"{' '.join(f'{ratio:.2f}' for ratio in ratios):20}{took[0]['hits']:6.0f}"
            f"{max(each['memory'] for each in took):6.0f} MB"
        )
    write(given.json, lines(size / 1e6, results))


def lines(megabytes: float, results: dict[str, list[dict[str, float]]]) -> dict[str, Comparison]:
    """MB/s of text beside plain bz2, beside two processes of it, and beside mwxml; and the largest memory."""
    seconds = {name: [each["seconds"] for each in took] for name, took in results.items()}
    rates = {name: [megabytes / each for each in values] for name, values in seconds.items()}
    clock = [each["wall"] for each in results["bz2"]]

    def beside(name: str, base: list[float]) -> Comparison:
        """``base``: seconds of the peer."""
        ratios = [theirs / ours for theirs, ours in zip(base, seconds[name], strict=True)]
        return Comparison("MB/s", rates[name], [megabytes / each for each in base], ratios)

    found = {name: beside(name, clock if name.startswith("two") else seconds["bz2"]) for name in results}
    found["two beside two"] = beside("two", seconds["two-bz2"])
    found |= {f"{name} beside mwxml": beside(name, seconds["mwxml"]) for name in ("one", "fast") if name in results}
    ours = [took for name, took in results.items() if name in ("one", "fast", "two", "two-fast")]
    found["memory"] = Comparison("MB", [max(each["memory"] for took in ours for each in took)])
    return found


if __name__ == "__main__":
    main()
