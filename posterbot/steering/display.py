"""Crawls that run, their policies and hosts as text: in the console of a crawl, and by the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from posterbot.catalogue.display import printable, size
from posterbot.catalogue.policies import PolicyUse
from posterbot.catalogue.records import Policy
from posterbot.frontier.display import duration

_WIDTH = 110
"""Columns of a telnet console."""
_LONG_LINE = 10_000
"""Characters; where there is no terminal a row stays a line."""


def in_words(policy: Policy) -> str:
    """What a policy keeps, in one line: ``poster, album_cover from 0.5 on, by web-images``."""
    return _in_words(policy.labels, policy.threshold, policy.top, policy.model.name)


def policy_text(policy: Mapping[str, Any]) -> str:
    """The same of a policy of :mod:`posterbot.steering.report`, with its number."""
    number = "new policy" if policy["number"] is None else f"policy {policy['number']}"
    words = _in_words(policy["labels"], policy["threshold"], policy["top"], policy["model"])
    return f"{number}: {words}"


def status_text(status: Mapping[str, Any]) -> str:
    """A few lines on how a crawl goes."""
    policy = status["policy"]
    reasons = sorted(status["reasons"].items(), key=lambda item: -item[1])[:3]
    lines = [
        f"run {status['run']} of {status['spider']}, process {status['pid']}: {status['state']}, "
        f"for {duration(status['seconds'])} now",
        f"{policy_text(policy)} ({printable(policy['author'])}, {policy['origin']}, {policy['at'][11:19]} UTC)",
        f"{status['pages']:,} pages, {status['images']:,} of {status['candidates']:,} images, "
        f"{status['kept']:,} kept, {status['rate']:.0f}/s, {size(status['bytes'])}; "
        f"{status['pages_in_hand']:,} pages in hand, {status['queued']:,} queued",
        "dropped: " + (", ".join(f"{reason} {count:,}" for reason, count in reasons) or "none"),
    ]
    if status["loading"]:
        lines.insert(2, printable(f"loading {', '.join(status['loading'])}"))
    return "\n".join(lines)


def hosts_text(hosts: Sequence[Mapping[str, Any]]) -> str:
    """One line for each host."""
    table = _table("host", "in hand", "requests", "bytes", "gap", "failures", "closed")
    for host in hosts:
        closed = f"{duration(host['closed_for'])} ({host['closed_reason'] or 'failing'})" if host["closed_for"] else ""
        counts = f"{host['pages_in_hand']:,}", f"{host['requests']:,}", size(host["bytes"]), f"{host['gap']:g} s"
        table.add_row(printable(host["host"]), *counts, f"{host['failures']:,}", closed)
    return _text(table) if hosts else "no host is being asked"


def policies_text(uses: Sequence[PolicyUse]) -> str:
    """One line for each policy, as plain columns."""
    return _text(_policies(uses)) if uses else "no policies yet"


def print_policies(uses: Sequence[PolicyUse]) -> None:
    """The same to stdout: with lines on a terminal."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _LONG_LINE
    console.print(_policies(uses, box.SIMPLE_HEAD if console.is_terminal else None))


def _in_words(labels: Sequence[str], threshold: float, top: int | None, model: str) -> str:
    rules = [f"from {threshold:g} on"] if threshold or top is None else []
    if top is not None:
        rules.append("where likeliest" if top == 1 else f"among the {top} likeliest")
    return printable(f"{', '.join(labels)} {' and '.join(rules)}, by {model}")


def _policies(uses: Sequence[PolicyUse], lines: box.Box | None = None) -> Table:
    table = _table("policy", "run", "when (UTC)", "by", "keeps", "threshold", "model", "changed", "judged", "kept")
    table.box = lines
    for use in uses:
        policy = use.policy
        table.add_row(
            str(policy.number),
            str(policy.run),
            f"{policy.at:%m-%d %H:%M:%S}",
            printable(f"{policy.author} ({policy.origin})"),
            printable(", ".join(policy.labels)),
            policy.rule,
            printable(policy.model),
            ", ".join(use.changed),
            f"{use.judged:,}",
            f"{use.kept:,}",
        )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    numbers = {"policy", "run", "threshold", "judged", "kept", "in hand", "requests", "bytes", "gap", "failures"}
    for heading in headings:
        right = heading in numbers
        table.add_column(heading, justify="right" if right else "left", overflow="fold", no_wrap=right)
    return table


def _text(table: Table) -> str:
    out = StringIO()
    Console(file=out, width=_WIDTH, markup=False, highlight=False, emoji=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())
