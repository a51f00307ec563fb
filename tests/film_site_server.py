"""Serves :mod:`film_site` in a process of its own, and says what was asked of it.

    PYTHONPATH=tests python -m film_site_server [--films 500] [--seed 1] [--pictures DIR]

serves on a free port of loopback, says where on its first line, and ends when its input does. Pictures are drawn when
they are first asked for.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from film_site import FilmSite, Picture
from film_site_pictures import Pictures


class Served:
    """A :class:`FilmSite` in a process of its own; a context manager. ``url`` has no slash at its end."""

    def __init__(self, films: int, seed: int = 1, pictures: Path | None = None) -> None:
        command = [sys.executable, "-m", Path(__file__).stem, "--films", str(films), "--seed", str(seed)]
        command += ["--pictures", str(pictures.resolve())] if pictures else []
        here = Path(__file__).parent
        self._process = subprocess.Popen(
            command,
            cwd=here.parent,  # where "posterbot" is the package, and not the folder of its tests
            env=os.environ | {"PYTHONPATH": str(here)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("the film site did not start")

    def asked(self) -> dict[str, list[int]]:
        """Path with query → bytes of each answer since the last time this was called."""
        with urllib.request.urlopen(f"{self.url}/-/asked", timeout=60) as answer:
            found: dict[str, list[int]] = json.load(answer)
            return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    site: FilmSite
    draw: Callable[[Picture], bytes]
    asked: dict[str, list[int]]
    lock = threading.Lock()

    def do_GET(self) -> None:
        kind = "text/html; charset=utf-8"
        if self.path == "/-/asked":
            with self.lock:
                body, status = json.dumps(self.asked).encode(), 200
                self.asked.clear()
        elif self.path in self.site.pages:
            body, status = self.site.pages[self.path].encode(), 200
        elif self.path in self.site.pictures:
            picture = self.site.pictures[self.path]
            body, status = self.draw(picture), 200
            kind = "image/gif" if picture.kind == "pixel" else f"image/{picture.form.replace('jpg', 'jpeg')}"
        else:
            body, status = b"nothing here", 404
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        sent = 0
        try:
            for start in range(0, len(body), 8192):  # so that who has had enough of it can say so
                sent += self.wfile.write(body[start : start + 8192])
        except OSError:
            self.close_connection = True
        if status == 200 and kind.startswith("image/"):
            with self.lock:
                self.asked.setdefault(self.path, []).append(sent)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def main() -> None:
    """Serve until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--films", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    pictures = Pictures(given.pictures)

    @lru_cache(maxsize=20_000)
    def small(picture: Picture) -> bytes:
        return pictures.draw(picture.kind, picture.number, picture.size, picture.form)

    def draw(picture: Picture) -> bytes:
        # Large ones would take all the memory, and are asked for once.
        return (small if max(picture.size) < 700 else small.__wrapped__)(picture)

    _Handler.site, _Handler.draw, _Handler.asked = FilmSite(given.films, given.seed), staticmethod(draw), {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
