"""Small dumps made on the spot, and a web server that answers range requests."""

from __future__ import annotations

import bz2
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

SITEINFO = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">\n  <siteinfo>\n'
    "    <sitename>Wikipedia</sitename>\n    <dbname>enwiki</dbname>\n"
    "    <base>https://en.wikipedia.org/wiki/Main_Page</base>\n  </siteinfo>\n"
)
END = "</mediawiki>\n"


def page(title: str, text: str, ns: int = 0, page_id: int = 1, redirect: str | None = None) -> str:
    """One page as a dump has it."""
    to = f'    <redirect title="{escape(redirect, {chr(34): "&quot;"})}" />\n' if redirect else ""
    return (
        f"  <page>\n    <title>{escape(title)}</title>\n    <ns>{ns}</ns>\n    <id>{page_id}</id>\n{to}"
        f"    <revision>\n      <id>{page_id + 1000}</id>\n      <timestamp>2026-08-01T00:00:00Z</timestamp>\n"
        f"      <contributor>\n        <username>A</username>\n        <id>77</id>\n      </contributor>\n"
        f'      <model>wikitext</model>\n      <text bytes="{len(text)}" xml:space="preserve">{escape(text)}</text>\n'
        "    </revision>\n  </page>\n"
    )


def film(number: int, template: str = "Infobox film") -> str:
    """The page of a film with a poster."""
    return page(
        f"Film {number}", f"{{{{{template}\n| name = F\n| image = F {number}.jpg\n}}}}\nA film.", page_id=number
    )


def other(number: int) -> str:
    """A page without a box, which does not compress to nothing."""
    return page(f"Other {number}", " ".join(f"{(number * 7919 + n * n) % 99991}" for n in range(150)), page_id=number)


def some_pages(films: int) -> list[str]:
    """Films with two other pages between each two."""
    return [text for n in range(films) for text in (other(3 * n + 1), film(3 * n + 2), other(3 * n + 3))]


def xml(pages: Iterable[str]) -> bytes:
    """A dump, not compressed."""
    return (SITEINFO + "".join(pages) + END).encode()


def multistream(pages: list[str], per_stream: int = 5) -> tuple[bytes, bytes]:
    """A dump as Wikimedia compresses it, and the text of its index."""
    data, lines = bz2.compress(SITEINFO.encode()), []
    for start in range(0, len(pages), per_stream):
        group = pages[start : start + per_stream]
        for text in group:
            title = text.split("<title>")[1].split("</title>")[0]
            lines.append(f"{len(data)}:{text.split('<id>')[1].split('<')[0]}:{title}\n")
        data += bz2.compress("".join(group).encode())
    return data + bz2.compress(END.encode()), "".join(lines).encode()


class RangeServer(dict[str, bytes]):
    """Files on loopback, path → bytes. What it does wrong, it does for the next requests: see the attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int, int]] = []
        self.agents: set[str] = set()
        self.refuse: list[tuple[int, dict[str, str]]] = []
        """(status, headers) of the next answers."""
        self.hang_up: list[int] = []
        """After so many bytes the next answers break off."""
        self.ranges = True
        self.etag = '"1"'
        self.delay = 0.0
        self.stall: str | None = None
        """Requests for this path are not answered."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # header and body in one packet, or each answer waits for an acknowledgement

            def do_GET(self) -> None:
                time.sleep(server.delay)
                body = server.get(self.path, b"")
                start, _, end = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
                first, last = int(start), min(int(end or len(body)), len(body) - 1)
                server.asked.append((self.path, first, last))
                server.agents.add(self.headers["User-Agent"])
                if server.stall == self.path:
                    time.sleep(60)
                if server.refuse:
                    status, headers = server.refuse.pop(0)
                    self._send(status, headers, b"")
                elif self.path not in server:
                    self._send(404, {}, b"")
                elif not server.ranges:
                    self._send(200, {}, body)
                elif first > last:
                    self._send(416, {}, b"")
                else:
                    cut = server.hang_up.pop(0) if server.hang_up else None
                    headers = {"Content-Range": f"bytes {first}-{last}/{len(body)}", "ETag": server.etag}
                    self._send(206, headers, body[first : last + 1], cut)

            def _send(self, status: int, headers: dict[str, str], body: bytes, cut: int | None = None) -> None:
                try:
                    self.send_response(status)
                    for name, value in {"Content-Length": str(len(body)), **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body[:cut])
                except OSError:
                    pass
                self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
