"""``python -m posterbot.sample OUT_DIR``: draw the sample site into a folder (about a minute)."""

from __future__ import annotations

import sys
from pathlib import Path

from posterbot.sample.pages import pages
from posterbot.sample.pictures import pictures


def build(folder: Path) -> int:
    """Write every file of the site below ``folder``; returns how many bytes they have together."""
    total = 0
    files = {name: text.encode() for name, text in pages().items()}
    for name, draw in pictures().items():
        total += _write(folder / name, draw())
    for name, data in files.items():
        total += _write(folder / name, data)
    return total


def _write(file: Path, data: bytes) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file.write_bytes(data)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m posterbot.sample OUT_DIR")
    sys.stdout.write(f"{build(Path(sys.argv[1])):,} bytes in {sys.argv[1]}\n")
