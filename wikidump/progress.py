"""What a person sees while dumps are read: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from wikidump.units import Report

LINE_SECONDS = 10.0


class Lines:
    """Writes to ``stream``; to a terminal a bar, to anything else a line every :data:`LINE_SECONDS`.

    Use it as a context: at the end the terminal is left as it was.
    """

    def __init__(self, stream: IO[str], what: str = "films", shown: bool = True) -> None:
        self._console = Console(file=stream)
        self._what, self._shown = what, shown
        columns = (BarColumn(20), TaskProgressColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=self._console, transient=True, refresh_per_second=4)
        self._live = shown and self._console.is_terminal
        self._task = self._bar.add_task("")
        self._total: int | None = None
        self._reading = "1"
        self._began = self._said = 0.0
        self._now, self._before = [0] * 5, 0

    def __enter__(self) -> Lines:
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._bar.stop()

    def start(self, what: str, total: int | None, done: Report) -> None:
        """A reading of ``total`` bytes begins, of which there was ``done`` before."""
        self._reading, self._total = what, total
        self._began = self._said = time.monotonic()
        self._now = [done.bytes, 0, done.pages, done.rows, done.posters]
        self._before = done.bytes
        self._bar.update(self._task, total=total, completed=done.bytes, description=self.line())

    def add(self, size: int, text: int, pages: int, rows: int, posters: int) -> None:
        """More was done."""
        for place, number in enumerate((size, text, pages, rows, posters)):
            self._now[place] += number
        if self._live:
            self._bar.update(self._task, completed=self._now[0], description=self.line())
        elif self._shown and time.monotonic() - self._said >= LINE_SECONDS:
            self._said = time.monotonic()
            self._print(self.line())

    def say(self, line: str) -> None:
        """Something happened that should be seen now."""
        self._print(f"wikidump: {line}")

    def line(self) -> str:
        """The whole state in one line."""
        size, text, pages, rows, posters = self._now
        seconds = max(time.monotonic() - self._began, 0.001)
        share = f"{100 * size / self._total:.0f} % · " if self._total and not self._live else ""
        parts = [
            f"{share}{text / 1e6 / seconds:.1f} MB/s",
            f"{pages:,} pages",
            f"{rows:,} {self._what}",
            f"{posters:,} posters",
        ]
        if self._total and size > self._before:
            left = int((self._total - size) * seconds / (size - self._before))
            parts.append(f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left")
        if self._reading != "1":
            parts.append("second reading")
        return " · ".join(parts)

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
