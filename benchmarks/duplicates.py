"""How well duplicates are found, and how fast.

    python benchmarks/duplicates.py --quality [--images N] [--keep FOLDER] [--json FILE]
    python benchmarks/duplicates.py --speed [--rows 100000] [--hashes-only] [--json FILE]

``--quality`` makes one copy and one variant of each real picture (tests/posterbot/duplicates/altered_pictures.py; which
one is drawn by the picture's name), has all of them scored as a crawl does, and puts them into clusters in a random
order. The pictures are those below ``images/`` in $POSTERBOT_REAL_DATA, else ../shared. The thresholds were chosen with
both halves, by a hash of the name, in sight: that they agree says that chance is small, not that nothing was fitted.
Printed are, for each half, posters and others:

- recall: originals that are in one cluster with their copy (variant);
- precision: of all pairs of images in one cluster those made of one original. Pairs of different originals count as
  wrong, also where they show the same picture; with ``--keep`` the catalogue and the pictures stay, and
  ``posterbot duplicates --html`` shows them.

``--speed`` makes up rows: random hashes and embeddings, a tenth of them near copies of others, and says how long the
first update takes, how much memory, and how many of the near copies are found.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from comparison import Comparison, parse, write
from PIL import Image
from sqlalchemy import Engine, insert, select

from models.analysis import Analysis, analyse
from models.registry import load_model
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import embeddings, images, models
from posterbot.catalogue.schema_films import clusters
from posterbot.duplicates.update import update
from posterbot.stores.store import object_path

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "posterbot" / "duplicates")]

from altered_pictures import COPIES, VARIANTS  # noqa: E402
from conftest import REAL_DATA  # noqa: E402

DIMENSIONS = 1280
PARTS = ("original", "copy", "variant")


def name_number(text: str) -> int:
    """A number that is as random as the name."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


_MODEL: Any = None


def _load() -> None:
    global _MODEL
    _MODEL = load_model()


def made(path: str) -> tuple[str, str, list[tuple[bytes, Analysis]]]:
    """The names of the alterations of one picture, and the files of all three with what is found in them."""
    number = name_number(path)
    copy = list(COPIES)[number % len(COPIES)]
    variant = list(VARIANTS)[number // 97 % len(VARIANTS)]
    file = REAL_DATA / "images" / path
    picture = Image.open(file).convert("RGB")
    files = [file.read_bytes(), COPIES[copy](picture), VARIANTS[variant](picture)]
    return copy, variant, list(zip(files, analyse(files, _MODEL), strict=True))


def quality(limit: int | None, folder: Path, keep: bool) -> dict[str, Comparison]:
    """Measure and print precision and recall; of copies, a value for each half."""
    if not (REAL_DATA / "images").is_dir():
        sys.exit(f"no real pictures at {REAL_DATA}: set POSTERBOT_REAL_DATA")
    with (REAL_DATA / "images" / "index.csv").open(encoding="utf-8") as table:
        pictures = sorted(csv.DictReader(table), key=lambda row: name_number(row["path"]))[:limit]
    begun = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count(), initializer=_load) as pool:
        answers = list(pool.map(made, (row["path"] for row in pictures), chunksize=16))
    print(f"{len(answers) * 3:,} images scored in {time.perf_counter() - begun:.0f} s")
    order = np.random.default_rng(8).permutation(len(answers) * 3)
    engine = open_catalogue(f"sqlite:///{folder}/catalogue.db")
    numbers = _fill(engine, [answers[place // 3][2][place % 3] for place in order], folder if keep else None)
    begun = time.perf_counter()
    done = update(engine)
    print(f"{done.images:,} of them put into clusters in {time.perf_counter() - begun:.0f} s")
    with engine.connect() as connection:
        rows = {row.image_id: row for row in connection.execute(select(clusters))}
    engine.dispose()
    found = {place: rows[number] for place, number in zip(order.tolist(), numbers, strict=True) if number in rows}
    return _measured(pictures, answers, found)


def _fill(engine: Engine, files: Sequence[tuple[bytes, Analysis]], folder: Path | None) -> list[int]:
    """Write them as a crawl would; gives the number of each."""
    numbers: dict[str, int] = {}
    model = {"name": _model_name(), "hash": "0" * 64, "labels": []}
    with engine.begin() as connection:
        connection.execute(insert(models), [model])
        for data, seen in files:
            if seen.sha256 in numbers or seen.header is None or seen.phash is None or seen.quality is None:
                numbers.setdefault(seen.sha256, 0)
                continue
            number = numbers[seen.sha256] = len(numbers) + 1
            path = object_path(seen.sha256, seen.header.extension)
            header = seen.header
            values = {
                "id": number,
                "sha256": seen.sha256,
                "bytes": len(data),
                "format": header.format,
                "width": header.width,
                "height": header.height,
                "phash": seen.phash,
                "path": path,
                "sharpness": seen.quality.sharpness,
                "spread": seen.quality.spread,
                "entropy": seen.quality.entropy,
                "first_seen_at": datetime(2026, 1, 1, tzinfo=UTC),
            }
            connection.execute(insert(images).values(values))
            connection.execute(insert(embeddings).values(image_id=number, model_id=1, vector=seen.embedding))
            if folder is not None:
                (folder / "images" / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / "images" / path).write_bytes(data)
    return [numbers[seen.sha256] for _, seen in files]


def _model_name() -> str:
    from models.registry import DEFAULT

    return DEFAULT


def _measured(
    pictures: Sequence[dict[str, str]], answers: Sequence[Any], found: dict[int, Any]
) -> dict[str, Comparison]:
    lines: dict[str, Comparison] = {}
    posters = np.array([row["label"] == "poster" for row in pictures])
    half = np.array([name_number(row["path"]) % 2 for row in pictures])
    for which, title in ((0, "the first half"), (1, "the second half")):
        print(f"\n{title}")
        for name, those in (("posters", posters), ("others", ~posters)):
            some = np.flatnonzero(those & (half == which)).tolist()
            if not some:
                continue
            copies, variants = (
                _together(some, found, column, part) for column, part in (("copies", 1), ("variants", 2))
            )
            taken = _together(some, found, "copies", 2)
            right, wrong, different = _pairs(some, found, "copies", 2)
            for what, value in (("recall", copies), ("precision", right / max(1, right + wrong))):
                lines.setdefault(f"{name}, {what}", Comparison("", [])).ours.append(value)
            print(
                f"  {name:<8} {len(some):>6,} originals   copies: recall {copies:.4f}, "
                f"precision {right / max(1, right + wrong):.4f} ({wrong:,} wrong pairs, of {different:,})"
            )
            right, wrong, different = _pairs(some, found, "variants", 3)
            print(
                f"  {'':<25}   variants: recall {variants:.4f}, precision {right / max(1, right + wrong):.4f} "
                f"({wrong:,} wrong pairs, of {different:,}); {taken:.1%} taken for copies"
            )
    print(f"\n{'recall by what was done':<28} {'posters':>8} {'others':>8}")
    for names, part, column in ((COPIES, 1, "copies"), (VARIANTS, 2, "variants")):
        for name in names:
            shares = []
            for those in (posters, ~posters):
                some = [n for n, answer in enumerate(answers) if answer[part - 1] == name and those[n]]
                shares.append(f"{_together(some, found, column, part):>8.3f}" if some else f"{'':>8}")
            print(f"{name:<28} {' '.join(shares)}")
    return lines


def _together(some: Sequence[int], found: dict[int, Any], column: str, part: int) -> float:
    """Share of the originals that are in one cluster with their ``part``."""
    pairs = [(found.get(3 * n), found.get(3 * n + part)) for n in some]
    same = [getattr(a, column) == getattr(b, column) for a, b in pairs if a is not None and b is not None]
    return sum(same) / max(1, len(same))


def _pairs(some: Sequence[int], found: dict[int, Any], column: str, parts: int) -> tuple[int, int, int]:
    """Pairs in one cluster: of one original, of two, and how many different pairs of originals the latter are."""
    together: defaultdict[str, list[int]] = defaultdict(list)
    for n in some:
        for part in range(parts):
            if (row := found.get(3 * n + part)) is not None:
                together[getattr(row, column)].append(n)
    right = wrong = 0
    different: set[tuple[int, int]] = set()
    for members in together.values():
        counts = Counter(members)
        right += sum(count * (count - 1) // 2 for count in counts.values())
        for one in counts:
            for other in counts:
                if one < other:
                    wrong += counts[one] * counts[other]
                    different.add((one, other))
    return right, wrong, len(different)


def speed(number: int, folder: Path, hashes_only: bool) -> dict[str, Comparison]:
    """Measure how long the first update takes, how much memory, and what it finds."""
    rng = np.random.default_rng(8)
    hashes = rng.integers(0, 2**64, number, np.uint64)
    copied = np.arange(9, number, 10)
    origins = (rng.random(len(copied)) * copied).astype(np.int64)
    origins -= origins % 10 == 9  # no copies of copies
    hashes[copied] = hashes[origins]
    for _ in range(5):
        hashes[copied] ^= np.uint64(1) << rng.integers(0, 64, len(copied), np.uint64)
    engine = open_catalogue(f"sqlite:///{folder}/catalogue.db")
    with engine.begin() as connection:
        connection.execute(insert(models), [{"name": "made up", "hash": "0" * 64, "labels": []}])
    vectors = np.memmap(folder / "vectors", np.float16, "w+", shape=(1 if hashes_only else number, DIMENSIONS))
    for some in _steps(number):
        if not hashes_only:
            vectors[some] = rng.standard_normal((len(some), DIMENSIONS), np.float32)
            for place in some[some % 10 == 9]:
                noise = rng.standard_normal(DIMENSIONS, np.float32)
                vectors[place] = vectors[origins[place // 10]] + 0.3 * noise
        rows = [_made_up(place, hashes[place]) for place in some.tolist()]
        with engine.begin() as connection:
            connection.execute(insert(images), rows)
            if not hashes_only:
                looks = [{"image_id": place + 1, "model_id": 1, "vector": vectors[place]} for place in some.tolist()]
                connection.execute(insert(embeddings), looks)
    del vectors
    (folder / "vectors").unlink()
    begun = time.perf_counter()
    # In a process of its own: what was needed to make the rows up is not counted.
    subprocess.run([sys.executable, __file__, "--update", str(folder)], check=True)
    seconds = time.perf_counter() - begun
    with engine.connect() as connection:
        names = {row.image_id: row.copies for row in connection.execute(select(clusters))}
    same = sum(names[int(a) + 1] == names[int(b) + 1] for a, b in zip(copied, origins, strict=True))
    engine.dispose()
    print(f"{number:,} rows in {seconds:.0f} s; {same:,} of {len(copied):,} near copies found")
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    values = {"seconds": ("s", seconds), "memory": ("MB", memory), "found": ("", same / max(1, len(copied)))}
    return {name: Comparison(unit, [value]) for name, (unit, value) in values.items()}


def _steps(number: int) -> Iterator[np.ndarray]:
    for start in range(0, number, 5000):
        yield np.arange(start, min(number, start + 5000))


def _made_up(place: int, phash: np.uint64) -> dict[str, Any]:
    return {
        "id": place + 1,
        "sha256": hashlib.sha256(b"%d" % place).hexdigest(),
        "bytes": 50_000,
        "format": "JPEG",
        "width": 600,
        "height": 900,
        "phash": f"{int(phash):016x}",
        "path": f"{place}.jpg",
        "first_seen_at": datetime(2026, 1, 1, tzinfo=UTC),
    }


def _update(folder: Path) -> None:
    engine = open_catalogue(f"sqlite:///{folder}/catalogue.db", must_exist=True)
    done = update(engine)
    engine.dispose()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{done}\npeak of memory {peak:,.0f} MiB, {used.ru_utime + used.ru_stime:.0f} s of CPU")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quality", action="store_true")
    parser.add_argument("--images", type=int, help="at most so many originals")
    parser.add_argument("--keep", type=Path, help="an empty folder for the catalogue and the pictures")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--hashes-only", action="store_true", help="no embeddings")
    parser.add_argument("--update", type=Path, help=argparse.SUPPRESS)
    given = parse(parser, images=40, rows=2_000)
    lines: dict[str, Comparison] = {}
    if given.update is not None:
        _update(given.update)
        return
    if not (given.quality or given.speed):
        parser.error("give --quality or --speed")
    with tempfile.TemporaryDirectory() as temporary:
        if given.quality:
            folder = given.keep or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            lines |= quality(given.images, folder, given.keep is not None)
        if given.speed:
            lines |= speed(given.rows, Path(temporary), given.hashes_only)
    write(given.json, lines)


if __name__ == "__main__":
    main()
