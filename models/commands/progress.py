"""How far a long command has come, on stderr: one live line on a terminal, now and then a line in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

LIVE_SECONDS, LOG_SECONDS = 0.25, 30.0


@contextmanager
def progress(total: int | None, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """Gives the function to call after each image.

    Args:
        total: how many images there will be; None where nobody knows, which leaves out the time that remains.
        quiet: show nothing.
    """
    started = said = time.monotonic()
    done = 0
    live: Live | None = None
    if sys.stderr.isatty() and not quiet:
        # Without its redirections: rich would send what is printed to stdout, perhaps a file, to the terminal.
        console = Console(stderr=True)
        live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)

    def advance() -> None:
        nonlocal done, said
        done += 1
        now = time.monotonic()
        if quiet or now - said < (LOG_SECONDS if live is None else LIVE_SECONDS):
            return
        said = now
        if live is None:
            click.echo(line(done, total, now - started), err=True)
        else:
            live.update(Text(line(done, total, now - started), no_wrap=True, overflow="ellipsis"), refresh=True)

    if live is None:
        yield advance
    else:
        with live:
            yield advance


def line(done: int, total: int | None, seconds: float) -> str:
    """``1,200 of 3,000 images · 400/s · 00:05 left``."""
    rate = done / seconds
    if total is None:
        return f"{done:,} images · {rate:.0f}/s"
    minutes, rest = divmod(round(max(0, total - done) / rate), 60)
    return f"{done:,} of {total:,} images · {rate:.0f}/s · {minutes:02d}:{rest:02d} left"
