"""A client that says exactly what it is told to, as no browser would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from serve_world import TOKEN


@dataclass
class Said:
    status: int
    headers: dict[str, str]
    text: str


class Client:
    """Asks the server at ``address``, by default with the cookie that its pages set."""

    def __init__(self, address: str) -> None:
        self.port = urlsplit(address).port
        self.cookie = {"Cookie": f"posterbot-{self.port}={TOKEN}"}
        self.origin = {"Origin": address}

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Said:
        """Headers: ``Content_Type="…"``; nothing is added to them but Host."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return Said(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read().decode("utf-8", "replace"),
            )
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Said:
        return self.ask(path, **self.cookie | headers)

    def csrf(self) -> str:
        return self.get("/").text.partition('name="csrf" content="')[2].partition('"')[0]

    def post(self, path: str, fields: Mapping[str, str | list[str]], csrf: str | None = None, **headers: str) -> Said:
        """A form, sent by one of our own pages' scripts; an error comes as JSON."""
        given = {"csrf": self.csrf() if csrf is None else csrf, **fields}
        form = {"Content_Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return self.ask(
            path, "POST", urlencode(given, doseq=True).encode(), **self.cookie | self.origin | form | headers
        )
