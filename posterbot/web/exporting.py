"""An export that was started from the page: a process of its own, one at a time, and what it says."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from posterbot.catalogue.display import printable

_TAIL = 4096
"""Bytes of what it said that are looked at."""


@dataclass(frozen=True, slots=True)
class State:
    """How it goes."""

    name: str
    """``none``, ``running``, ``done`` or ``failed``."""
    line: str = ""
    """What it said last."""
    out: str = ""
    """Where the dataset goes."""


class Exporting:
    """For any number of threads. Ctrl-C, which ends the server, reaches the process as well; it can be resumed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._said: BinaryIO | None = None
        self._out = ""

    def start(self, options: Sequence[str], out: str, environment: Mapping[str, str]) -> bool:
        """Start ``posterbot export`` with ``options``; False: another one is not done yet."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return False
            if self._said is not None:
                self._said.close()
            self._said, self._out = tempfile.TemporaryFile(), out  # noqa: SIM115  # open as long as it is read
            self._process = subprocess.Popen(
                [sys.executable, "-m", "posterbot.cli", "export", *options],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=subprocess.STDOUT,
            )
            return True

    def state(self) -> State:
        """How the last one goes."""
        with self._lock:
            if self._process is None or self._said is None:
                return State("none")
            code = self._process.poll()
            size = os.fstat(self._said.fileno()).st_size
            # At a place of its own: the process writes where the file's own position is.
            tail = os.pread(self._said.fileno(), _TAIL, max(0, size - _TAIL)).decode("utf-8", "replace")
        lines = [printable(line) for line in tail.splitlines() if line.strip()]
        name = "running" if code is None else "done" if code == 0 else "failed"
        return State(name, lines[-1] if lines else "", self._out)
