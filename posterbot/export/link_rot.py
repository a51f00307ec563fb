"""What became of the addresses of a dataset's images: ``link-rot.csv``, written while they are asked for."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np

from posterbot.export.formats.cells import cell
from posterbot.export.formats.cells import line as csv_line
from posterbot.reasons import Reason

COLUMNS = ("sha256", "status", "why", "url")
_SHA256 = re.compile("[0-9a-f]{64}")


class Status(StrEnum):
    """Of one image."""

    SAME = "same"
    """What is there today has the sha256 it had."""
    CHANGED = "changed"
    """Something else is there."""
    GONE = "gone"
    """The host says that it does not give it: 404, 410, 403, …"""
    REFUSED = "refused"
    """We must not ask, or not use it: robots.txt, an opt-out, an address that is not public, forgotten."""
    FAILED = "failed"
    """It could not be asked: no answer, or a failure of the host."""


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one image, and why, in words of our own and of the host."""

    status: Status
    why: str = ""
    reason: Reason | None = None


@dataclass(slots=True)
class Rot:
    """The numbers."""

    stored: int = 0
    """Images that were in the store, and of which nobody was asked."""
    status: Counter[Status] = field(default_factory=Counter)
    why: Counter[tuple[Status, str]] = field(default_factory=Counter)
    """``why`` up to the first colon or comma: what is the same for many."""

    @property
    def lost(self) -> int:
        """Images that are not what they were, or cannot be had."""
        return self.status.total() - self.status[Status.SAME]

    def words(self) -> str:
        """One line for a person."""
        said = [f"{self.stored:,} from the store"]
        for status in Status:
            if self.status[status]:
                reasons = [(why, number) for (of, why), number in sorted(self.why.items()) if of is status and why]
                because = ", ".join(f"{number:,} {why}" for why, number in reasons)
                said.append(f"{self.status[status]:,} {status}" + (f" ({because})" if because else ""))
        return ", ".join(said)


def line(sha256: str, found: Found, url: str) -> str:
    """A line of the file, with its end."""
    return csv_line([sha256, found.status.value, cell(found.why), cell(url)])


def begin(file: Path) -> None:
    """A new file, without lines. Raises OSError."""
    with file.open("x", encoding="utf-8", newline="") as out:
        out.write(csv_line(COLUMNS))


def go_on(file: Path) -> np.ndarray:
    """Take out what is to be asked again: failures, and a line that was not finished.

    Returns:
        The sha256 of those that are settled: ascending, 32 bytes each.
    """
    settled = []
    part = file.with_name(f"{file.name}.part")
    with part.open("w", encoding="utf-8", newline="") as out:
        out.write(csv_line(COLUMNS))
        for row in _rows(file):
            if row[1] != Status.FAILED:
                settled.append(bytes.fromhex(row[0]))
                out.write(csv_line(row))
    os.replace(part, file)  # noqa: PTH105
    return np.sort(np.frombuffer(b"".join(settled), "S32"))


def count(file: Path) -> Rot:
    """Add up a file, all but what was in the store."""
    rot = Rot()
    for row in _rows(file):
        status = Status(row[1])
        rot.status[status] += 1
        rot.why[status, "" if status is Status.CHANGED else re.split("[:,]", row[2])[0]] += 1
    return rot


def _rows(file: Path) -> Iterator[list[str]]:
    """Whole lines; the last one may have been cut off."""
    with file.open(encoding="utf-8", errors="replace", newline="") as lines:
        for row in csv.reader(text for text in lines if text.endswith("\n")):
            if len(row) == len(COLUMNS) and _SHA256.fullmatch(row[0]) and row[1] in set(Status):
                yield row
