"""Lockfiles as an export writes them, without a catalogue: for the tests of what reads them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from conftest import encode, picture

from posterbot.export.example import SPLITS, Example
from posterbot.export.lockfile import Header, Lockfile, LockWriter, Rule, Source
from posterbot.export.options import Options
from posterbot.stores.store import object_path

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULE = Rule(1, ("poster",), 0.5, None, "web-images", "a" * 64)
HOSTILE = (
    "| <script>alert(1)</script> ![](http://evil.example/x.png) [x](javascript:1) `a` **b**\r\n"
    "# c \x07 www.evil.example\n---\nlicense: mit"
)


@lru_cache(maxsize=500)
def bytes_of(number: int) -> bytes:
    """The original of image ``number``: a JPEG, each fifth a PNG."""
    drawn = picture(120 + number % 7, 180 + number % 5, seed=number)
    return encode(drawn, "PNG") if number % 5 == 4 else encode(drawn, quality=90)


def example(number: int, **facts: Any) -> Example:
    """Image ``number`` shows film ``number // 2``; nothing is known of each seventh."""
    data = bytes_of(number)
    sha256 = hashlib.sha256(data).hexdigest()
    known = number % 7 != 6
    film = number // 2
    of = Example(
        sha256=sha256,
        path=object_path(sha256, "png" if number % 5 == 4 else "jpg"),
        bytes=len(data),
        format="PNG" if number % 5 == 4 else "JPEG",
        width=120 + number % 7,
        height=180 + number % 5,
        phash=sha256[:16],
        split=SPLITS[film % 3],
        shard=0,
        url=f"https://open.example/{number}.jpg",
        page_url=f"https://pages.example/{film}",
        source="open.example",
        alt="A poster",
        fetched_at=AT,
        label="poster",
        score=0.75,
        policy=1,
        model="web-images",
        model_hash="a" * 64,
        film=f"tt{film:07}" if known else None,
        films=(f"tt{film:07}",) if known else (),
        title=f"Film {film}" if known else None,
        year=1920 + film if known else None,
        genres=("Comedy", "Drama")[: film % 3] if known else (),
        confidence=0.9 if known else None,
        copies=sha256[:16],
        variants=sha256[:16],
        licence=None,
        ml_allowed=True,
        redistributable=None,
        attribution="© Open",
        terms_url="https://open.example/terms",
    )
    return replace(of, **facts)


def examples(count: int, **facts: Any) -> list[Example]:
    return [example(number, **facts) for number in range(count)]


def header(rows: Sequence[Example], options: Options | None = None, **facts: Any) -> Header:
    """What fits to the rows."""
    sources = Counter(row.source for row in rows)
    first = {row.source: row for row in reversed(rows)}
    given: dict[str, Any] = {
        "options": options or Options("imagefolder", split=(0.34, 0.33, 0.33)),
        "version": "0.1.0",
        "labels": tuple(sorted({row.label for row in rows})),
        "genres": tuple(sorted({genre for row in rows for genre in row.genres})),
        "rules": (RULE,),
        "sources": tuple(
            Source(
                name,
                number,
                first[name].ml_allowed,
                first[name].redistributable,
                first[name].attribution,
                None,
                first[name].terms_url,
            )
            for name, number in sorted(sources.items(), key=lambda each: (-each[1], each[0]))
        ),
    }
    return Header(**given | facts)


def write_lock(
    file: Path, rows: Iterable[Example], options: Options | None = None, shard: int = 4, **facts: Any
) -> Lockfile:
    """A lockfile of ``rows``, in shards of ``shard`` images."""
    rows = sorted(rows, key=lambda row: (SPLITS.index(row.split), row.sha256))
    file.parent.mkdir(parents=True, exist_ok=True)
    with LockWriter(file, header(rows, options, **facts)) as writer:
        for split in SPLITS:
            of = [row for row in rows if row.split == split]
            for number in range(0, len(of), shard):
                writer.write([replace(row, shard=number // shard) for row in of[number : number + shard]])
    return Lockfile(file)
