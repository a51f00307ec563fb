"""A server of the tests in a process of its own, on loopback, that dies with the tests whatever kills them."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import ClassVar, Self

START_SECONDS = 60


class OwnProcess:
    """Running from the start on. A subclass says what: a program that is given the port.

    Attributes:
        url: of the server.
        pid: of its process, for who measures what it costs.
    """

    name: ClassVar[str]
    program: ClassVar[str]
    """Python. It dies when its standard input is closed: the system does that whatever kills the tests."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="posterbot-server-")
        self._log = Path(self._folder.name) / "log"
        deadline = time.monotonic() + START_SECONDS
        self._start()
        while not self._is_ready():
            if self._server.poll() is not None:  # somebody was faster at that port
                self._start()
            if time.monotonic() > deadline:
                log = self._log.read_text(errors="replace")
                self.close()
                raise RuntimeError(f"{self.name} does not start:\n{log}")
            time.sleep(0.02)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop it; what was in it is gone."""
        self._server.kill()
        self._server.communicate()
        self._folder.cleanup()

    def _start(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-c", self.program, str(self._port)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._folder.name,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop it
            )
        self.pid = self._server.pid

    def _is_ready(self) -> bool:
        try:
            return self._ask("GET", "/") == 200
        except OSError:
            return False

    def _ask(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> int:
        asked = http.client.HTTPConnection("127.0.0.1", self._port, timeout=START_SECONDS)
        try:
            asked.request(method, path, body, (headers or {}) | self._headers())
            answer = asked.getresponse()
            answer.read()
            return answer.status
        finally:
            asked.close()

    def _headers(self) -> dict[str, str]:
        return {}
