"""A generated web of several hosts on loopback, served by a process of its own that logs every request.

The server outlives crawlers that are killed, and uses none of their CPU time. It listens on one port of addresses like
127.0.1.7, one for each host. What it logs as the time of a request is when the kernel received it, so that a server
that gets no CPU for a moment does not make gaps look shorter than they were.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import pickle
import random
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

SITE_NETWORK, CDN_NETWORK = "127.0.1", "127.0.2"
FAN_OUT = 4
"""Pages that a page is the parent of, about; the depth of the web is the logarithm of its pages to this base."""
ON_CDN = 0.3
"""Share of the images that lie on another host than their page."""
SHARED = 0.25
"""Share of the images of a page that were already on an earlier page."""
WORDS = 90
"""Of text on a page; no two pages are near to each other."""

_SO_TIMESTAMPNS = 35  # Linux: the kernel's time of receipt comes with the data; the socket module has no name for it
_PHRASES = {200: "OK", 404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}


class Request(NamedTuple):
    """One line of the server's log."""

    at: float
    """When the kernel received it: seconds since 1970."""
    host: str
    """The address that was asked, without port."""
    path: str
    status: int
    agent: str
    """The User-Agent; with OPERATOR_CONTACT set it tells workers apart."""


class _Site(NamedTuple):
    """What the server needs to know; travels to its process."""

    bodies: dict[tuple[str, str], bytes]
    """(host, path) of pages and robots.txt."""
    pictures: dict[tuple[str, str], int]
    """(host, path) of images → number of the drawing."""
    drawings: list[bytes]
    latency: float
    flaky: dict[tuple[str, str], int]
    """Status of the first answer, where that is not 200."""


class Web:
    """A web that is the same for the same arguments, but for its port. A context manager: serves from the first moment.

    Every one of ``pages`` can be reached from ``start``: the first links to a few, these to a few more, and all also
    across to any other. Besides there are pages to which nothing links.

    Args:
        pages: how many.
        hosts: over which they are spread evenly, 127.0.1.1 and on.
        images: on each page. Each URL has bytes of its own; a quarter lies on several pages.
        cdns: hosts, 127.0.2.1 and on, that hold only images. 0: all images lie on the host of their first page.
        links: on each page, besides those of the tree, to any page of any host.
        crawl_delays: host → ``Crawl-delay`` of its robots.txt, in seconds.
        latency: seconds from a request to its answer.
        flaky: share of pages and images that answer 500 or 503 the first time they are asked.
        seed: another one, another web.
    """

    def __init__(
        self,
        *,
        pages: int,
        hosts: int = 4,
        images: int = 2,
        cdns: int = 2,
        links: int = 3,
        crawl_delays: Mapping[str, float] | None = None,
        latency: float = 0.0,
        flaky: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.hosts = [f"{SITE_NETWORK}.{number}" for number in range(1, hosts + 1)]
        self.cdns = [f"{CDN_NETWORK}.{number}" for number in range(1, cdns + 1)]
        listeners = _listen([*self.hosts, *self.cdns])
        self.port: int = listeners[0].getsockname()[1]
        self._rng = random.Random(seed)
        self._lay_out(pages, images, links)
        flaky_urls = [url for url in [*self.pages, *self.images] if self._rng.random() < flaky]
        site = _Site(
            bodies={_key(url): self._html(number).encode() for number, url in enumerate([*self.pages, *self.unlinked])}
            | {(host, "/robots.txt"): _robots((crawl_delays or {}).get(host)) for host in [*self.hosts, *self.cdns]},
            pictures={_key(url): drawing for url, drawing in self._drawn.items()},
            drawings=_drawings() if self._drawn else [],
            latency=latency,
            flaky={_key(url): self._rng.choice((500, 503)) for url in flaky_urls},
        )
        self._drawings = site.drawings
        near, far = socket.socketpair()
        self._server = subprocess.Popen(
            [sys.executable, __file__, str(far.fileno()), *(str(listener.fileno()) for listener in listeners)],
            pass_fds=[far.fileno(), *(listener.fileno() for listener in listeners)],
            start_new_session=True,  # Ctrl-C is the test's affair
        )
        for ours in (far, *listeners):
            ours.close()
        self._control = Connection(near.detach())
        self._control.send_bytes(pickle.dumps(site))
        self._ask("count", 0)  # it serves

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the server."""
        self._control.close()  # the end of the connection is what it waits for
        self._server.wait(10)

    # --- what there is ---

    @property
    def start(self) -> str:
        """The page from which all others can be reached."""
        return self.pages[0]

    @cached_property
    def offers(self) -> frozenset[tuple[str, str]]:
        """Each page with each image on it: the rows that ``candidates`` has to have."""
        return frozenset((self.pages[number], url) for number, urls in enumerate(self._shown) for url in urls)

    @cached_property
    def images(self) -> list[str]:
        """URLs of all images on linked pages."""
        return sorted({url for urls in self._shown[: len(self.pages)] for url in urls})

    def sha256(self, image: str) -> str:
        """Of the bytes under an image's URL."""
        return hashlib.sha256(_signed(self._drawings[self._drawn[image]], _key(image))).hexdigest()

    # --- what was asked ---

    def log(self, since: int = 0) -> list[Request]:
        """Every request so far, in the order in which the server saw them, from number ``since`` on."""
        found = self._ask("log", since)
        assert isinstance(found, list)
        return [Request(*each) for each in found]

    def count(self) -> int:
        """How many requests there were."""
        found = self._ask("count", 0)
        assert isinstance(found, int)
        return found

    def progress(self) -> int:
        """How many different URLs were asked for and not held back."""
        found = self._ask("progress", 0)
        assert isinstance(found, int)
        return found

    def hold_after(self, urls: int | None) -> None:
        """Answer for the first so many different URLs, and let requests for others wait; None: let go."""
        self._ask("hold", urls)

    def _ask(self, what: str, number: int | None) -> object:
        self._control.send((what, number))
        return self._control.recv()

    # --- how it is made ---

    def _lay_out(self, pages: int, images: int, links: int) -> None:
        rng = self._rng
        vocabulary = ["".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(4_000)]
        self._texts = [rng.choices(vocabulary, k=WORDS) for _ in range(pages + max(2, pages // 50))]
        urls = [
            f"{self._at(number)}/{_SECTIONS[number % 7]}/{words[0]}-{number}.html"
            for number, words in enumerate(self._texts)
        ]
        self.pages, self.unlinked = urls[:pages], urls[pages:]
        self._links: list[list[str]] = [[] for _ in urls]
        for number in range(1, pages):
            parent = rng.randrange(max(0, number // FAN_OUT - 2), (number - 1) // FAN_OUT + 1)
            self._links[parent].append(urls[number])
        for tree in self._links:
            tree += rng.choices(self.pages, k=links)
        self._shown: list[list[str]] = [[] for _ in urls]
        self._drawn: dict[str, int] = {}
        known: list[str] = []
        for number in range(pages):
            for _ in range(images):
                if known and rng.random() < SHARED:
                    url = rng.choice(known)
                else:
                    on_cdn = self.cdns and rng.random() < ON_CDN
                    site = f"http://{rng.choice(self.cdns)}:{self.port}" if on_cdn else self._at(number)
                    url = f"{site}/pictures/{rng.choice(vocabulary)}-{len(known)}.jpg"
                    self._drawn[url] = rng.randrange(len(_SOURCES))
                    known.append(url)
                if url not in self._shown[number]:
                    self._shown[number].append(url)

    def _at(self, number: int) -> str:
        return f"http://{self.hosts[number % len(self.hosts)]}:{self.port}"

    def _html(self, number: int) -> str:
        words = self._texts[number]
        images = "".join(
            f'<p><img src="{url}" alt="{words[place % WORDS]}"></p>\n'
            for place, url in enumerate(self._shown[number], 20)
        )
        links = "".join(
            f'<li><a href="{url}">{words[place % WORDS]}</a></li>\n'
            for place, url in enumerate(self._links[number], 40)
        )
        return (
            f"<!doctype html>\n<html><head><title>{' '.join(words[:3])} {number}</title></head>\n"
            f"<body><h1>{' '.join(words[:4])}</h1>\n<p>{' '.join(words[4:])}</p>\n"
            f"{images}<ul>\n{links}</ul></body></html>\n"
        )


_SECTIONS = ("films", "people", "news", "festival", "archive", "essays", "interviews")
_SYLLABLES = tuple(f"{a}{b}" for a in "bdfgklmnprstv" for b in ("a", "e", "i", "o", "u", "en", "an", "il"))
# File of the sample site → width of the drawing; the last are too small to be looked at.
_SOURCES = (
    *((f"posters/{name}.jpg", 160) for name in ("six-keys", "the-last-bell", "neon-harbour", "gallows-creek")),
    *((f"stills/{name}.jpg", 150) for name in ("lake", "dunes", "snow-ridge")),
    *((f"people/{name}.jpg", 60) for name in ("ines-okafor", "claire-aubin")),
)


def _drawings() -> list[bytes]:
    from PIL import Image

    from posterbot.sample.server import SITE

    made = []
    for file, width in _SOURCES:
        with Image.open(SITE / file) as image:
            buffer = io.BytesIO()
            image.resize((width, width * image.height // image.width)).save(buffer, "JPEG", quality=75)
            made.append(buffer.getvalue())
    return made


def _signed(jpeg: bytes, key: tuple[str, str]) -> bytes:
    """``jpeg`` with a comment (ITU-T T.81, B.2.4.5) behind its first marker: no two URLs have the same bytes."""
    comment = "".join(key).encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def _robots(delay: float | None) -> bytes:
    return ("User-agent: *\nDisallow: /private/\n" + ("" if delay is None else f"Crawl-delay: {delay}\n")).encode()


def _key(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.path


def _listen(hosts: Iterable[str]) -> list[socket.socket]:
    """Sockets that listen on one port of all ``hosts``."""
    while True:
        port = 0
        with ExitStack() as undo:
            found = []
            try:
                for host in hosts:
                    listener = undo.enter_context(socket.socket())
                    listener.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
                    listener.bind((host, port))
                    listener.listen(256)
                    found.append(listener)
                    port = listener.getsockname()[1]
            except OSError:
                if port == 0:
                    raise
                continue  # taken on this host by somebody else
            undo.pop_all()
            return found


class _Server:
    """Runs in the process of its own."""

    def __init__(self, site: _Site, control: Connection, listeners: list[socket.socket]) -> None:
        self.site, self.control = site, control
        self.flaky = dict(site.flaky)
        self.log: list[tuple[float, str, str, int, str]] = []
        self.seen: set[tuple[str, str]] = set()
        self.hold: int | None = None
        self.held: list[Callable[[], None]] = []
        self.loop = asyncio.get_running_loop()
        self.ended = self.loop.create_future()
        self.loop.add_reader(control.fileno(), self.answer_control)
        for listener in listeners:
            listener.setblocking(False)
            self.loop.add_reader(listener, self.accept, listener)

    def answer_control(self) -> None:
        try:
            what, number = self.control.recv()
        except EOFError:
            self.loop.remove_reader(self.control.fileno())
            self.ended.set_result(None)
            return
        if what == "hold":
            self.hold, waiting, self.held = number, self.held, []
            for go_on in waiting:
                go_on()
            self.control.send(None)
        elif what == "log":
            self.control.send(self.log[number:])
        else:
            self.control.send(len(self.seen if what == "progress" else self.log))

    def accept(self, listener: socket.socket) -> None:
        with suppress(BlockingIOError, ConnectionError):
            while True:
                connection, _ = listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.loop.add_reader(connection, self.read, connection, bytearray(), listener.getsockname()[0])

    def read(self, connection: socket.socket, buffer: bytearray, host: str) -> None:
        try:
            data, notes, _, _ = connection.recvmsg(65_536, 256)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.loop.remove_reader(connection)
            self.loop.remove_writer(connection)
            connection.close()
            return
        buffer += data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
            del buffer[: end + 4]
            at = next((_seconds(stamp) for _, kind, stamp in notes if kind == _SO_TIMESTAMPNS), time.time())
            self.answer(connection, host, lines, at)

    def answer(self, connection: socket.socket, host: str, lines: list[str], at: float) -> None:
        path = lines[0].split(" ")[1]
        agent = next((line[12:] for line in lines if line[:12].lower() == "user-agent: "), "")
        status, kind, body = self.look_up((host, path))
        self.log.append((at, host, path, status, agent))
        head = f"HTTP/1.1 {status} {_PHRASES[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.send(connection, (host, path), head.encode() + body)

    def send(self, connection: socket.socket, key: tuple[str, str], data: bytes) -> None:
        """Send when it is time to."""
        if self.hold is not None and len(self.seen) >= self.hold and key not in self.seen:
            self.held.append(lambda: self.send(connection, key, data))
            return
        self.seen.add(key)
        if self.site.latency:
            self.loop.call_later(self.site.latency, self.write, connection, data)
        else:
            self.write(connection, data)

    def look_up(self, key: tuple[str, str]) -> tuple[int, str, bytes]:
        """Status, Content-Type and body."""
        if status := self.flaky.pop(key, None):
            return status, "text/html", b"<!doctype html><title>later</title>"
        if (body := self.site.bodies.get(key)) is not None:
            return 200, "text/plain" if key[1] == "/robots.txt" else "text/html; charset=utf-8", body
        if (drawing := self.site.pictures.get(key)) is not None:
            return 200, "image/jpeg", _signed(self.site.drawings[drawing], key)
        return 404, "text/html", b"<!doctype html><title>nothing here</title>"

    def write(self, connection: socket.socket, data: bytes) -> None:
        if connection.fileno() < 0:
            return  # the crawler is gone
        try:
            sent = connection.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # reading will find out
        if sent < len(data):
            self.loop.add_writer(connection, self.write_rest, connection, data[sent:])

    def write_rest(self, connection: socket.socket, data: bytes) -> None:
        self.loop.remove_writer(connection)
        self.write(connection, data)


def _seconds(stamp: bytes) -> float:
    seconds, nanoseconds = struct.unpack("ll", stamp[:16])
    return float(seconds + nanoseconds / 1e9)


async def _serve(control: Connection, listeners: list[socket.socket]) -> None:
    await _Server(pickle.loads(control.recv_bytes()), control, listeners).ended


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    import webs  # what comes pickled is of the module by its name

    numbers = [int(word) for word in sys.argv[1:]]
    asyncio.run(webs._serve(Connection(numbers[0]), [socket.socket(fileno=number) for number in numbers[1:]]))
