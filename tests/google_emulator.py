"""Google Cloud Storage for tests: an emulator.

The real client talks to it where ``STORAGE_EMULATOR_HOST`` holds its URL, and then asks for no credentials.
"""

from __future__ import annotations

import json

from own_process import OwnProcess

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


class GoogleEmulator(OwnProcess):
    """In memory. It answers one request at a time."""

    name = "the emulator of Google Cloud Storage"
    program = _PROGRAM

    def create_bucket(self, name: str) -> str:
        """Make an empty bucket; gives its name."""
        body = json.dumps({"name": name})
        self._ask("POST", "/storage/v1/b?project=tests", body, {"Content-Type": "application/json"})
        return name
