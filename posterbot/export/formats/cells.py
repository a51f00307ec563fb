"""Texts from the web in tables and file names: a spreadsheet must not run them, and no path may leave its folder."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

LONGEST = 10_000
"""Characters of a cell; readers of CSV have limits."""
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+")
_FORMULA = ("=", "+", "-", "@")


def cell(text: str | None) -> str:
    """``text`` in one line, at most :data:`LONGEST`; behind an apostrophe where a spreadsheet would see a formula."""
    plain = _CONTROL.sub(" ", (text or "")[: 2 * LONGEST]).strip()[:LONGEST]
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def line(cells: Sequence[object]) -> str:
    """One line of a CSV file, with its end."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def folder_name(label: str) -> str:
    """``label`` as the name of a folder; other labels have other names."""
    return re.sub(r"[^\w ()-]", lambda found: f"%{ord(found[0]):X}", label).strip(" ") or "%"
