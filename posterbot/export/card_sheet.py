"""A picture of some of a dataset's images, for its card: always the same for the same dataset."""

from __future__ import annotations

import heapq
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
from PIL import Image, ImageOps

from models.decode import ImageError, read_rgb
from posterbot.export.example import Example
from posterbot.export.lockfile import Lockfile

PICTURE = "contact-sheet.jpg"
COLUMNS, ROWS = 8, 4
WIDTH, HEIGHT, GAP = 150, 225, 10
"""Of a tile and between two, in pixels."""
_GROUND, _MAT = (246, 245, 242), (226, 223, 216)


def sheet_examples(lock: Lockfile) -> list[Example]:
    """Those with the lowest hashes, at most one of each cluster of variants: as good as drawn by lot."""
    lowest: list[tuple[str, int, int]] = []
    with pq.ParquetFile(lock.file) as rows:
        for shard in lock.shards:
            hashes = rows.read_row_group(shard.index, columns=["sha256"])["sha256"].to_pylist()
            here = ((sha256, shard.index, at) for at, sha256 in enumerate(hashes))
            lowest = heapq.nsmallest(4 * COLUMNS * ROWS, [*lowest, *here])
    found: dict[str, Example] = {}
    shards: dict[int, list[Example]] = {}
    for sha256, shard_index, at in lowest:
        if shard_index not in shards:
            shards = {shard_index: lock.read(shard_index)}
        example = shards[shard_index][at]
        found.setdefault(example.variants or sha256, example)
        if len(found) == COLUMNS * ROWS:
            break
    return list(found.values())


def write_contact_sheet_picture(
    folder: Path, examples: Sequence[Example], get: Callable[[Example], bytes | None]
) -> None:
    """Write ``contact-sheet.jpg`` into ``folder``; nothing, where there are no examples.

    Args:
        folder: of the dataset.
        examples: at most COLUMNS × ROWS of them are shown, see :func:`sheet_examples`.
        get: the bytes of the image, None where they cannot be had: its tile is empty, as where they cannot be read.
    """
    shown = examples[: COLUMNS * ROWS]
    if not shown:
        return
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * (WIDTH + GAP) + GAP, rows * (HEIGHT + GAP) + GAP), _GROUND)
    for place, example in enumerate(shown):
        left, top = (GAP + at * (side + GAP) for at, side in ((place % columns, WIDTH), (place // columns, HEIGHT)))
        sheet.paste(_tile(get(example)), (left, top))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=82, optimize=True, subsampling="4:2:0")
    (folder / PICTURE).write_bytes(out.getvalue())


def _tile(data: bytes | None) -> Image.Image:
    tile = Image.new("RGB", (WIDTH, HEIGHT), _MAT)
    try:
        picture = None if data is None else read_rgb(data, max(WIDTH, HEIGHT))
    except ImageError:
        picture = None
    if picture is not None:
        picture = ImageOps.contain(picture, (WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        tile.paste(picture, ((WIDTH - picture.width) // 2, (HEIGHT - picture.height) // 2))
    return tile
