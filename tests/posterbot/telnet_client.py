"""As much of a telnet client as the console of a crawl needs."""

from __future__ import annotations

import re
import socket

# RFC 854: WILL, WONT, DO and DONT behind IAC, each of which wants an answer.
AGREED = {b"\xfb": b"\xfd", b"\xfc": b"\xfe", b"\xfd": b"\xfb", b"\xfe": b"\xfc"}
OFFER = re.compile(rb"\xff([\xfb-\xfe])(.)", re.DOTALL)


class Telnet:
    """Logged in as ``scrapy`` with the password ``secret``."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.expect("Username:")
        self.send("scrapy")
        self.expect("Password:")
        self.send("secret")
        self.expect(">>>")

    def send(self, line: str) -> None:
        self.socket.sendall(line.encode() + b"\r\n")

    def expect(self, text: str) -> str:
        """What is heard until ``text``, without the codes of a terminal."""
        heard = ""
        while text not in heard:
            part = self.socket.recv(4096)
            assert part, f"the console hung up; heard {heard!r}"
            heard += OFFER.sub(self._agree, part).decode(errors="replace")
        return re.sub(r"\r+\n", "\n", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", heard))

    def _agree(self, offer: re.Match[bytes]) -> bytes:
        self.socket.sendall(b"\xff" + AGREED[offer[1]] + offer[2])
        return b""

    def say(self, line: str) -> str:
        """Type a line and return what is printed until the next prompt."""
        self.send(line)
        # The console echoes what is typed, and then answers.
        return self.expect(">>> ").partition("\n")[2].rpartition(">>> ")[0].strip()
