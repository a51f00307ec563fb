"""What is asked of an export. Together with the catalogue it decides every byte."""

from __future__ import annotations

from dataclasses import dataclass

FITS = ("longer", "shorter", "crop", "pad", "stretch")
"""What a size is of: the longer side; the shorter; of a square, cut out of the middle; filled up; or distorted."""
GROUPINGS = ("film", "source")
PURPOSES = ("training", "redistribution")


@dataclass(frozen=True, slots=True)
class Options:
    """All options of ``posterbot export`` but where it reads and writes."""

    format: str
    size: int | None = None
    """In pixels; None: the original bytes."""
    fit: str = "longer"
    """One of :data:`FITS`; of no meaning without a size."""
    where: str = ""
    """An expression of ``where.py``; empty: all kept images."""
    split: tuple[float, float, float] = (1.0, 0.0, 0.0)
    """Shares of train, validation and test; they sum to 1."""
    by: str = "film"
    """One of :data:`GROUPINGS`: what is never in two splits, beside films and near copies, which never are."""
    seed: int = 0
    purpose: str | None = None
    """One of :data:`PURPOSES`; None: the terms of sources are written down and not applied."""
    agreements: tuple[str, ...] = ()
    """Names of sources that have agreed, whatever their terms say."""
    rich: bool = False
    """TFRecord with all columns, instead of those that the public trainer reads."""
    pairs: bool = False
    shard_images: int = 1000
    """Most images in one shard."""
