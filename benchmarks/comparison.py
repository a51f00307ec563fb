"""What a benchmark measured, in the one shape that ``bench.py`` reads, and the options that all have.

The file of ``--json`` is ``{"lines": {NAME: {"unit", "ours", "peer", "ratio"}}}``: a number for each round. A ratio
says how many times better ours was than the peer in the same round, whether more or less is better of the unit.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of the table."""

    unit: str
    ours: list[float]
    peer: list[float] = field(default_factory=list)
    """Empty where nothing is compared."""
    ratio: list[float] = field(default_factory=list)


def compared(unit: str, ours: Sequence[float], peer: Sequence[float], *, less: bool = False) -> Comparison:
    """Round by round; ``less``: of the unit less is better. A round with nothing to divide by has no ratio."""
    pairs = zip(peer, ours, strict=True) if less else zip(ours, peer, strict=True)
    return Comparison(unit, list(ours), list(peer), [one / other for one, other in pairs if other])


def spread(values: Sequence[float]) -> str:
    """Median and range."""
    if not values:
        return "–"
    if len(values) == 1:
        return number(values[0])
    return f"{number(statistics.median(values))} ({number(min(values))}–{number(max(values))})"


def number(value: float) -> str:
    """Three figures, never as a power of ten."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def parse(parser: argparse.ArgumentParser, **short: object) -> argparse.Namespace:
    """The command line, with ``--json FILE`` and ``--short``, which stands for the defaults in ``short``."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--short", action="store_true", help="a small form, to see that it works: no figures to quote")
    if "--short" in sys.argv:
        parser.set_defaults(**short)
    return parser.parse_args()


def write(file: Path | None, lines: dict[str, Comparison]) -> None:
    """The file that was asked for, if one was."""
    if file is not None:
        content = {"lines": {name: asdict(line) for name, line in lines.items()}}
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
