"""Reads an export: ``posterbot export --format parquet --pairs``."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from network import HEIGHT, WIDTH
from PIL import Image


@dataclass
class Split:
    """The n posters of one split, in the order of their files."""

    sha256: list[str]
    files: list[bytes]
    """As they lie in the export."""
    images: np.ndarray
    """uint8 (n, HEIGHT, WIDTH, 3)."""
    films: np.ndarray
    """int (n,): equal for posters of one film; of a poster without a film, or alone with its copies, its own."""
    genres: np.ndarray
    """float32 (n, G): 0 or 1; a row of zeros where none is known."""
    negatives: list[np.ndarray]
    """Rows of the hard negatives of each."""


def read_split(export: Path, split: str) -> Split:
    """One split of the dataset in the folder ``export``."""
    parts = sorted(export.glob(f"data/{split}-*.parquet"))
    if not parts:
        raise SystemExit(f"no split {split} in {export}: export with --format parquet --split 0.7/0.1/0.2 --pairs")
    table = pa.concat_tables(
        pq.read_table(part, columns=["image", "sha256", "film", "copies", "genres"]) for part in parts
    )
    sha256 = table["sha256"].to_pylist()
    files = [image["bytes"] for image in table["image"].to_pylist()]
    names = [row["film"] or row["copies"] or row["sha256"] for row in table.drop_columns(["image"]).to_pylist()]
    known = genres_of(export)
    genres = [[genre in of for genre in known] for of in table["genres"].to_pylist()]
    return Split(
        sha256,
        files,
        np.stack([pixels(Image.open(io.BytesIO(file))) for file in files]),
        np.unique(names, return_inverse=True)[1],
        np.array(genres, np.float32).reshape(len(files), len(known)),
        _negatives(export / "pairs" / f"{split}-hard-negatives.parquet", sha256),
    )


def genres_of(export: Path) -> list[str]:
    """All genres of the dataset, sorted."""
    parts = sorted(export.glob("data/*.parquet"))
    return sorted(
        {
            genre
            for part in parts
            for of in pq.read_table(part, columns=["genres"])["genres"].to_pylist()
            for genre in of
        }
    )


def pixels(poster: Image.Image) -> np.ndarray:
    """The picture as the network takes it: stretched to its shape, which is nearly that of all posters."""
    return np.asarray(poster.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def _negatives(file: Path, sha256: list[str]) -> list[np.ndarray]:
    row_of = {name: row for row, name in enumerate(sha256)}
    found: list[list[int]] = [[] for _ in sha256]
    for pair in pq.read_table(file, columns=["anchor", "negative"]).to_pylist():
        found[row_of[pair["anchor"]]].append(row_of[pair["negative"]])
    return [np.array(rows, np.int64) for rows in found]
