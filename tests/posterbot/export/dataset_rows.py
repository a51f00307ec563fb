"""Rows of a small dataset, their pictures, and what a format makes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from conftest import encode, picture

from posterbot.export.example import Example
from posterbot.export.formats.format import Encoded, Format
from posterbot.export.lockfile import NAME, Header, Lockfile, LockWriter
from posterbot.export.options import Options
from posterbot.export.pictures import prepare

LABELS = ("album_cover", "poster")
GENRES = ("Comedy", "Drama", "Film-Noir")
ROW = Example(
    sha256="",
    path="",
    bytes=0,
    format="JPEG",
    width=300,
    height=450,
    phash="8f0e1c3a5b79d2c4",
    split="train",
    shard=0,
    url="https://films.example/posters/m.jpg",
    page_url="https://films.example/m",
    source="films.example",
    alt="M – Eine Stadt\nsucht einen <b>Mörder</b>",
    fetched_at=datetime(2026, 5, 4, 3, 2, 1, 5, tzinfo=UTC),
    label="poster",
    score=0.75,
    policy=1,
    model="web-images",
    model_hash="ab" * 32,
    film="tt0022100",
    films=("Q151599", "tt0022100"),
    title="M",
    year=1931,
    genres=("Drama", "Film-Noir"),
    confidence=0.9,
    copies=None,
    variants=None,
    licence=None,
    ml_allowed=True,
    redistributable=None,
    attribution=None,
    terms_url=None,
)


def rows() -> list[tuple[Example, bytes]]:
    """Five images in three shards: a poster, a PNG cover without film or genre, the same of another split."""
    jpeg, png = encode(picture(300, 450, seed=1)), encode(picture(40, 40, seed=2, mode="RGBA"), "PNG")
    bare = replace(ROW, label="album_cover", format="PNG", film=None, films=(), title=None, year=None, genres=())
    bare = replace(bare, confidence=None, phash=None, ml_allowed=None)
    return [
        _row(ROW, jpeg),
        _row(bare, png),
        _row(replace(ROW, shard=1, genres=("Comedy",)), encode(picture(200, 300, seed=3))),
        _row(replace(ROW, split="test"), encode(picture(200, 300, seed=4))),
        _row(replace(bare, split="test"), encode(picture(50, 40, seed=5), "PNG")),
    ]


def _row(example: Example, data: bytes) -> tuple[Example, bytes]:
    sha256 = hashlib.sha256(data).hexdigest()
    return replace(example, sha256=sha256, path=f"{sha256}.x", bytes=len(data)), data


def export(kind: type[Format], options: Options, folder: Path, of: Sequence[tuple[Example, bytes]] = ()) -> Lockfile:
    """Write a dataset into ``folder``, each shard by a format of its own, as processes do."""
    images = list(of) or rows()
    folder.mkdir(exist_ok=True)
    header = Header(options, "0.1.0", LABELS, GENRES, (), ())
    shards = list(dict.fromkeys((example.split, example.shard) for example, _ in images))
    with LockWriter(folder / NAME, header) as writer:
        for place in shards:
            writer.write([example for example, _ in images if (example.split, example.shard) == place])
    lock, data = Lockfile(folder / NAME), {example.sha256: data for example, data in images}
    for shard in lock.shards:
        format = kind(lock.header)
        pictures: list[tuple[Example, Encoded]] = [
            (example, prepare(data[example.sha256], options, jpeg=format.jpeg_only))
            for example in lock.read(shard.index)
        ]
        format.write_shard(shard, iter(pictures), folder)
    kind(lock.header).finish(lock, folder)
    return lock


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder: path → bytes."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
