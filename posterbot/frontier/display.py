"""Crawls, hosts and failures as tables: with lines on a terminal, plain aligned columns anywhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from posterbot.catalogue.display import printable, size
from posterbot.frontier.host_rows import HostRow
from posterbot.frontier.operate import Crawl
from posterbot.frontier.retrying import Failures

_LONG_LINE = 10_000
"""Characters; not on a terminal a row stays a line."""


def print_crawls(crawls: Sequence[Crawl]) -> None:
    """One line for each run."""
    console = _console()
    numbers = ("run", "workers", "done", "waiting", "leased", "failed", "to retry")
    table = _table(console, "run", "state", *numbers[1:], "started (UTC)", "arguments", right=numbers)
    for crawl in crawls:
        counts = (crawl.workers, crawl.done, crawl.waiting, crawl.leased, crawl.failed, crawl.retries)
        table.add_row(
            str(crawl.run),
            printable(f"{crawl.state} ({crawl.reason})" if crawl.state == "stopped" else crawl.state),
            *(f"{count:,}" for count in counts),
            f"{crawl.started_at:%Y-%m-%d %H:%M}",
            printable(" ".join(f"{name}={value}" for name, value in crawl.arguments.items())),
        )
    console.print(table)


def print_hosts(hosts: Sequence[HostRow], total: int) -> None:
    """One line for each host, and how many are left out."""
    console = _console()
    numbers = ("waiting", "requests", "bytes", "today", "bytes today", "gap", "crawl-delay", "failures")
    table = _table(console, "host", *numbers, "closed", "worker", right=numbers)
    for host in hosts:
        table.add_row(
            printable(host.host),
            f"{host.waiting:,}",
            f"{host.requests:,}",
            size(host.bytes),
            f"{host.requests_today:,}",
            size(host.bytes_today),
            f"{host.gap:g} s",
            "" if host.crawl_delay is None else f"{host.crawl_delay:g} s",
            f"{host.failures:,}",
            f"{duration(host.closed_for)} ({host.closed_reason or 'failing'})" if host.closed_for else "",
            printable(host.worker or ""),
        )
    console.print(table)
    if more := total - len(hosts):
        console.print(f"and {more:,} more hosts")


def print_failures(failures: Mapping[str, Failures]) -> None:
    """One line for each reason."""
    console = _console()
    table = _table(console, "reason", "pages", "images", right=("pages", "images"))
    for reason, number in failures.items():
        table.add_row(printable(reason), f"{number.pages:,}", f"{number.images:,}")
    console.print(table)


def duration(seconds: float) -> str:
    """For a person: ``42 s``, ``12 min``, ``3.5 h``."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


def _console() -> Console:
    console = Console(markup=False, highlight=False, emoji=False)  # nothing that comes from the web is markup
    if not console.is_terminal:
        console.width = _LONG_LINE
    return console


def _table(console: Console, *headings: str, right: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for heading in headings:
        number = heading in right
        table.add_column(heading, justify="right" if number else "left", overflow="fold", no_wrap=number)
    return table
