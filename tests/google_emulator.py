"""Google Cloud Storage for tests: an emulator on loopback, in a process of its own that dies with the tests.

The real client talks to it where ``STORAGE_EMULATOR_HOST`` holds its URL, and then asks for no credentials.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_START_SECONDS = 60
# It dies when its standard input is closed: the system does that whatever kills the tests.
_PROGRAM = """
import logging, os, socketserver, sys, threading
from gcp_storage_emulator.server import create_server
def end():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=end, daemon=True).start()
logging.disable(logging.CRITICAL)
socketserver.TCPServer.request_queue_size = 128  # with five, sixteen connections at once are lost now and then
create_server("127.0.0.1", int(sys.argv[1]), in_memory=True).run()
"""


class GoogleEmulator:
    """One server, in memory, running from the start on. It answers one request at a time.

    Attributes:
        url: of the server.
        pid: of its process, for who measures what it costs.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="posterbot-google-")
        self._log = Path(self._folder.name) / "log"
        deadline = time.monotonic() + _START_SECONDS
        self._start()
        while not self._is_ready():
            if self._server.poll() is not None:  # somebody was faster at that port
                self._start()
            if time.monotonic() > deadline:
                log = self._log.read_text(errors="replace")
                self.close()
                raise RuntimeError(f"the emulator of Google Cloud Storage does not start:\n{log}")
            time.sleep(0.02)

    def __enter__(self) -> GoogleEmulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create_bucket(self, name: str) -> str:
        """Make an empty bucket; gives its name."""
        self._ask("POST", "/storage/v1/b?project=tests", json.dumps({"name": name}))
        return name

    def close(self) -> None:
        """Stop it; all buckets are gone."""
        self._server.kill()
        self._server.communicate()
        self._folder.cleanup()

    def _start(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(self._port)],
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

    def _ask(self, method: str, path: str, body: str | None = None) -> int:
        asked = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_START_SECONDS)
        try:
            asked.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = asked.getresponse()
            answer.read()
            return answer.status
        finally:
            asked.close()
