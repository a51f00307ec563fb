"""The catalogue's answers as text: tables with bars on a terminal, plain aligned columns anywhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table

from posterbot.catalogue.answers import KEPT, Count, Funnel, Sighting

_BAR = 30
_PLAIN_WIDTH = 100
_NUMBERS = {
    "number",
    "images",
    "share",
    KEPT,
    "run",
    "threshold",
    "saved",
    "bytes",
    "explored",
    "lost",
    "95 %",
    "of kept",
}
"""Headings of columns with numbers."""


def print_funnel(funnel: Funnel, out: TextIO | None = None) -> None:
    """Print the funnel, then reasons, gates, labels, hosts and policies, where there are any; to stdout unless told."""
    # Hosts and labels come from the web: nothing in them is markup.
    console = Console(file=out, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    scope = "all runs" if funnel.run is None else f"run {funnel.run}"
    if funnel.run is not None and funnel.runs:
        run = funnel.runs[0]
        state = run.finish_reason or "not finished"
        scope += f" ({run.spider}, {run.started_at:%Y-%m-%d %H:%M} UTC, {state})"
    console.print(printable(scope), style="bold")

    stages = _table(console, "stage", "number", "share", "")
    failed = f"and {funnel.pages_failed:,} that could not be read" if funnel.pages_failed else ""
    stages.add_row("pages", f"{funnel.pages:,}", "", failed)
    for name, number in (
        ("candidates", funnel.candidates),
        ("fetched", funnel.fetched),
        ("scored", funnel.scored),
        ("kept", funnel.kept),
    ):
        stages.add_row(name, f"{number:,}", _share(number, funnel.candidates), _bar(number, funnel.candidates))
    console.print(stages)
    console.print(
        f"{funnel.images:,} distinct images, {size(funnel.bytes)}; "
        f"{funnel.kept_images:,} of them kept, {size(funnel.kept_bytes)}"
    )

    if funnel.reasons:
        reasons = _table(console, "dropped because", "images", "share", "")
        for reason, number in funnel.reasons.items():
            reasons.add_row(reason, f"{number:,}", _share(number, funnel.dropped), _bar(number, funnel.dropped))
        console.print(reasons)
    if funnel.gates:
        console.print(_gates(console, funnel))
    if funnel.labels:
        console.print(_counts(console, "label", funnel.labels))
    if funnel.hosts:
        more = funnel.host_count - len(funnel.hosts)
        console.print(_counts(console, "host of the image", funnel.hosts))
        if more:
            console.print(f"and {more:,} more hosts")
    if funnel.policies:
        policies = _table(console, "policy", "run", "threshold", "keeps", "model", "by")
        for policy in funnel.policies:
            by = f"{policy.author} ({policy.origin}), {policy.at:%Y-%m-%d %H:%M}"
            numbers = str(policy.number), str(policy.run), policy.rule
            policies.add_row(*numbers, printable(", ".join(policy.labels)), printable(policy.model), printable(by))
        console.print(policies)


def _gates(console: Console, funnel: Funnel) -> Table:
    """Requests and bytes that each gate saved, and an estimate of the posters it lost, with its 95 % interval."""
    gates = _table(console, "gate", "saved", "bytes", "explored", KEPT, "lost", "95 %", "of kept")
    for loss in funnel.gates:
        lost, interval, share = "?", "", ""
        if loss.lost is not None and loss.lost_low is not None and loss.lost_high is not None:
            lost, interval = f"{loss.lost:,.1f}", f"{loss.lost_low:,.1f}–{loss.lost_high:,.1f}"
            share = _share_lost(loss.lost, funnel.kept_images)
        saved = "?" if loss.bytes_saved is None else size(loss.bytes_saved)
        counts = f"{loss.dropped:,}", saved, f"{loss.explored:,}", f"{loss.kept:,}"
        gates.add_row(loss.gate, *counts, lost, interval, share)
    return gates


def _share_lost(lost: float, kept: int) -> str:
    return f"{lost / (kept + lost):.1%}" if kept + lost else ""


def sighting_line(sighting: Sighting) -> str:
    """One line: verdict, reason, label, score, pixels, bytes, URL."""
    score = "" if sighting.score is None else f"{sighting.score:.2f}"
    pixels = "" if sighting.width is None else f"{sighting.width}x{sighting.height}"
    weight = "" if sighting.bytes is None else size(sighting.bytes)
    return printable(
        f"{sighting.verdict:<7}  {sighting.reason or '':<18}  {sighting.label or '':<16}  {score:>4}  "
        f"{pixels:>11}  {weight:>8}  {sighting.url}"
    )


def size(number: float) -> str:
    """Bytes for a person: ``82 kB``, powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.0f} {unit}" if number >= 10 or unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def printable(text: str) -> str:
    """``text`` without anything that could command a terminal: control signs become ``?``."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


def _table(console: Console, *headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for position, heading in enumerate(headings):
        number = heading in _NUMBERS
        table.add_column(
            heading, justify="right" if number else "left", overflow="fold", no_wrap=number or not position
        )
    return table


def _counts(console: Console, heading: str, counts: Iterable[Count]) -> Table:
    table = _table(console, heading, "images", KEPT, "share", "")
    for count in counts:
        table.add_row(
            printable(count.name),
            f"{count.candidates:,}",
            f"{count.kept:,}",
            _share(count.kept, count.candidates),
            _bar(count.kept, count.candidates),
        )
    return table


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _bar(part: int, whole: int) -> str:
    filled = round(_BAR * part / whole) if whole else 0
    return "█" * max(filled, 1 if part else 0)
