"""A file of embeddings that is searched where it lies: a header, then one record of sha256 and vector for each image.

It is mapped into memory, and only ever grows at its end or is replaced as a whole. The header says how many records
count, and is written after them: what a dying process has left behind them is overwritten by the next.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

SUFFIX = ".vectors"
"""Files so called are ours: a damaged one may be replaced."""
HEADER_BYTES = 512
_MAGIC = b"posterbot vectors 1\n"
_BLOCK_BYTES = 32_000_000
"""So much is copied at a time."""


class DamagedError(ValueError):
    """The file cannot be used and has to be made anew; ``str()`` says why, in a few words."""


class ForeignError(ValueError):
    """The file is something else, and is left alone; ``str()`` is one line."""


class Vectors:
    """Embeddings of one model, mapped from ``file``.

    Args:
        file: written by :meth:`create` and :meth:`append`.
        model: hash of the model.
        dimensions: of its embeddings.

    Raises:
        DamagedError: it is too short, its header is not to be read, or it is of another model.
        ForeignError: it is not one of ours, by its content and by its name.
        OSError: it is missing, or cannot be read.
    """

    def __init__(self, file: Path, model: str, dimensions: int) -> None:
        self.file, self.model, self.dimensions = file, model, dimensions
        self.record = record_of(dimensions)
        with file.open("rb") as opened:
            rows = _rows(opened, file, model, dimensions)
            if os.fstat(opened.fileno()).st_size < HEADER_BYTES + rows * self.record.itemsize:
                raise DamagedError("it is cut off")
            self.records: np.ndarray = (
                np.memmap(opened, self.record, "r", HEADER_BYTES, (rows,)) if rows else np.empty(0, self.record)
            )

    @classmethod
    def create(cls, file: Path, model: str, dimensions: int) -> Vectors:
        """An empty file in place of what is there, which goes on to exist for those who have it open."""
        with _replaced(file) as out:
            out.write(_header(model, dimensions, 0))
        return cls(file, model, dimensions)

    @property
    def heads(self) -> np.ndarray:
        """uint64 (N,): the first 8 bytes of each sha256."""
        return _heads(self.records)

    @property
    def vectors(self) -> np.ndarray:
        """float16 (N, dimensions), as the model gave them; a view of the mapped file."""
        found: np.ndarray = self.records["vector"]
        return found

    def sha256(self, row: int) -> str:
        """Of the image of one row, in hexadecimal."""
        return str(self.records["sha256"][row].tobytes().hex())

    def row(self, sha256: str) -> int | None:
        """The row of an image, None where it has none."""
        for row in np.flatnonzero(self.heads == np.uint64(int(sha256[:16], 16))):
            if self.sha256(int(row)) == sha256:
                return int(row)
        return None

    def append(self, blocks: Iterable[np.ndarray]) -> Vectors:
        """Write records (arrays of :attr:`record`) behind the others; the file as it is then.

        Two processes may do so at once: one waits, and what both had to add is there once.
        """
        with self.file.open("r+b") as out:
            fcntl.flock(out, fcntl.LOCK_EX)
            there = Vectors(self.file, self.model, self.dimensions)
            rows, overtaken = len(there.records), len(there.records) > len(self.records)
            out.seek(HEADER_BYTES + rows * self.record.itemsize)
            for block in blocks:
                if overtaken:
                    block = block[~np.isin(_heads(block), there.heads)]
                out.write(block.tobytes())
                rows += len(block)
            out.flush()
            os.fsync(out.fileno())
            out.seek(0)
            out.write(_header(self.model, self.dimensions, rows))
        return Vectors(self.file, self.model, self.dimensions)

    def only(self, keep: np.ndarray) -> Vectors:
        """Without the records that ``keep``, bool (N,), leaves out: a new file takes the place of this."""
        kept, step = np.flatnonzero(keep), max(_BLOCK_BYTES // self.record.itemsize, 1)
        with _replaced(self.file) as out:
            out.write(_header(self.model, self.dimensions, len(kept)))
            for start in range(0, len(kept), step):
                out.write(self.records[kept[start : start + step]].tobytes())
        return Vectors(self.file, self.model, self.dimensions)


def record_of(dimensions: int) -> np.dtype[np.void]:
    """What one image is in the file: 32 bytes, and a little-endian float16 for each dimension."""
    return np.dtype([("sha256", "V32"), ("vector", "<f2", (dimensions,))])


def _heads(records: np.ndarray) -> np.ndarray:
    names = np.ascontiguousarray(records["sha256"]).view(">u8")
    return names.reshape(len(records), 4)[:, 0].astype(np.uint64)


def _header(model: str, dimensions: int, rows: int) -> bytes:
    about = json.dumps({"model": model, "dimensions": dimensions, "rows": rows}).encode()
    return (_MAGIC + about).ljust(HEADER_BYTES - 1) + b"\n"


def _rows(opened: IO[bytes], file: Path, model: str, dimensions: int) -> int:
    """How many records count."""
    header = opened.read(HEADER_BYTES)
    if not header.startswith(_MAGIC):
        if header and file.suffix != SUFFIX:
            raise ForeignError(f"{file} is no index of posterbot; give another --index, or delete it")
        raise DamagedError("its header is damaged")
    try:
        about = json.loads(header[len(_MAGIC) :])
        rows, same = int(about["rows"]), (about["model"], about["dimensions"]) == (model, dimensions)
    except (ValueError, KeyError, TypeError):
        raise DamagedError("its header is damaged") from None
    if not same:
        raise DamagedError("it is of another model")
    if rows < 0:
        raise DamagedError("its header is damaged")
    return rows


@contextmanager
def _replaced(file: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of ``file`` when it is complete."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
