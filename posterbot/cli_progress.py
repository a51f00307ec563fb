"""How far a long command has come, how fast, and how long it will take: on stderr, for a person or for a log."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from posterbot.catalogue.display import printable, size
from posterbot.frontier.display import duration

LOG_SECONDS = 10.0
"""Between two lines where nobody watches."""
SCREEN_SECONDS = 0.1
WINDOW_SECONDS = 30.0
"""A rate is that of so long: long enough to stand still, short enough to tell that something has changed."""
_SAMPLES = 60


class Pace:
    """What was done lately, for the rates."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._samples: deque[tuple[float, int, int]] = deque([(monotonic(), 0, 0)])

    def line(self, verb: str, done: int, of: int | None, of_bytes: int) -> str:
        """``verb 1,200 of 5,000 images, 60 images/s, 5.2 MB/s, 63 s left``, as far as it is known.

        Args:
            verb: what is done with them.
            done: images.
            of: how many there are; None where that is not known.
            of_bytes: what was read or written for ``done``; 0 where that is not counted.
        """
        moment = self._monotonic()
        if moment - self._samples[-1][0] >= WINDOW_SECONDS / _SAMPLES:
            self._samples.append((moment, done, of_bytes))
        while len(self._samples) > 2 and moment - self._samples[1][0] >= WINDOW_SECONDS:
            self._samples.popleft()
        since, before, bytes_before = self._samples[0]
        seconds = max(moment - since, 1e-9)
        rate = (done - before) / seconds
        parts = [f"{verb} {done:,} images" if of is None else f"{verb} {done:,} of {of:,} images"]
        if rate:
            parts.append(f"{rate:,.0f} images/s" if rate >= 9.5 else f"{rate:.1f} images/s")
        if of_bytes:
            parts.append(f"{size((of_bytes - bytes_before) / seconds)}/s")
        if of is not None and rate and of > done:
            parts.append(f"{duration((of - done) / rate)} left")
        return ", ".join(parts)


class Shown:
    """Shows progress while it is open; what is printed meanwhile goes through :meth:`say`."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._pace, self._verb, self._at = Pace(monotonic), "", monotonic()
        self._console = Console(stderr=True, markup=False, highlight=False, emoji=False)
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> Shown:
        if self._console.is_terminal:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=20),
                console=self._console,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._task = self._bar.add_task("", total=None)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def at(self, verb: str, done: int, of: int | None = None, of_bytes: int = 0) -> None:
        """So far it has come, see :meth:`Pace.line`; cheap enough to be called for each image."""
        moment = self._monotonic()
        if verb != self._verb:
            self._verb, self._pace = verb, Pace(self._monotonic)
        elif moment - self._at < (LOG_SECONDS if self._bar is None else SCREEN_SECONDS):
            return
        elif self._bar is None:
            click.echo(self._pace.line(verb, done, of, of_bytes), err=True)
        if self._bar is not None:
            line = self._pace.line(verb, done, of, of_bytes)
            self._bar.update(self._task, description=line, completed=done, total=of)
        self._at = moment

    def say(self, line: str) -> None:
        """Print a line to stdout, above what is shown where both are the same terminal."""
        line = printable(line)
        if self._bar is not None and sys.stdout.isatty():
            self._bar.console.print(Text(line), soft_wrap=True)
        else:
            click.echo(line)
