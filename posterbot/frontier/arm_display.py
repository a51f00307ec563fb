"""The frontier as tables: on a terminal some lines for each arm, anywhere else one, as programs read it."""

from __future__ import annotations

from urllib.parse import urlsplit

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from posterbot.catalogue.display import printable
from posterbot.frontier.display import duration
from posterbot.frontier.explain import ArmRow, Explained, Lead
from posterbot.frontier.strategy import YIELD

_LONG_LINE = 10_000
"""Characters; not on a terminal a row stays a line."""
_LONG_URL = 160
"""And on one, what is longer is cut."""


def print_frontier(explained: Explained) -> None:
    """The arms, or the depths, then what is next."""
    console = Console(markup=False, highlight=False, emoji=False)  # nothing that comes from the web is markup
    if not console.is_terminal:
        console.width = _LONG_LINE
    by_yield = explained.strategy == YIELD
    how = "by yield" if by_yield else "breadth first"
    with_workers = f", {explained.under_way:,} with workers" if explained.under_way else ""
    console.print(f"run {explained.run}, {how}: {_urls(explained.waiting)} waiting{with_workers}", style="bold")
    if by_yield:
        _print_arms(console, explained)
    else:
        _print_depths(console, explained)
    _print_next(console, explained)


def found_number(found: float) -> str:
    """``1,204``, ``0.5``."""
    return f"{found:,.1f}".removesuffix(".0")


def lead_words(lead: Lead, host: str) -> str:
    """``3.2 × /film/{text}``; with its host, where that is another than ``host``."""
    return f"{lead.per_page:.2g} × {'' if lead.host == host else lead.host}{lead.pattern}"


def _urls(number: int) -> str:
    return f"{number:,} URL{'' if number == 1 else 's'}"


def _print_arms(console: Console, explained: Explained) -> None:
    numbers = ("worth", "hope", "recent", "found", "pages", "waiting")
    more = ("arm",) if console.is_terminal else ("host", "pattern", "path", "example", "leads to")
    table = _table(console, *numbers, *more, right=numbers)
    for arm in explained.arms:
        figures = (
            f"{arm.worth:.2f}",
            f"{arm.hope:.2f}",
            "–" if arm.recent is None else f"{arm.recent:.2f}",
            found_number(arm.found),
            f"{arm.fetched:,}",
            f"{arm.waiting:,}",
        )
        leads = ", ".join(lead_words(lead, arm.host) for lead in arm.leads)
        if console.is_terminal:
            table.add_row(*figures, _described(arm, leads))
        else:
            example = arm.examples[0] if arm.examples else ""
            table.add_row(*figures, *(printable(text) for text in (arm.host, arm.pattern, arm.path, example, leads)))
    console.print(table)
    if left := explained.arm_count - len(explained.arms):
        console.print(f"and {left:,} more arm{'' if left == 1 else 's'}, which are worth less")


def _described(arm: ArmRow, leads: str) -> Text:
    text = Text(printable(f"{arm.host}{arm.pattern}") or "lists")
    for what in (arm.path, *(f"e.g. {_short(url)}" for url in arm.examples), f"leads to {leads}" if leads else ""):
        if what:
            text.append("\n" + printable(what), style="dim")
    return text


def _short(url: str) -> str:
    """Without its host, which is said already."""
    parts = urlsplit(url)
    text = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return text if len(text) <= _LONG_URL else text[:_LONG_URL] + "…"


def _print_depths(console: Console, explained: Explained) -> None:
    headings = ("depth", "pages", "found", "waiting")
    table = _table(console, *headings, right=headings)
    for depth in explained.depths:
        table.add_row(f"{depth.depth}", f"{depth.fetched:,}", found_number(depth.found), f"{depth.waiting:,}")
    console.print(table)


def _print_next(console: Console, explained: Explained) -> None:
    if not explained.next:
        console.print("nothing waits" if not explained.waiting else "nothing can be asked for now")
        return
    whys = {one.why for one in explained.next}
    same = len(whys) == 1 and len(explained.next) > 1
    console.print("next" + (f", {printable(*whys)}" if same else ""), style="bold")
    table = _table(console, "", "URL", *(() if same else ("why",)), right=("",))
    for place, one in enumerate(explained.next, 1):
        later = f", in {duration(one.seconds)}" if one.seconds >= 1 else ""
        url = one.url if len(one.url) <= _LONG_URL or not console.is_terminal else one.url[:_LONG_URL] + "…"
        table.add_row(f"{place}", printable(url), *(() if same else (printable(one.why + later),)))
    console.print(table)


def _table(console: Console, *headings: str, right: tuple[str, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, collapse_padding=True)
    for heading in headings:
        number = heading in right
        table.add_column(heading, justify="right" if number else "left", overflow="fold", no_wrap=number)
    return table
