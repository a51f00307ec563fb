"""A catalogue with pictures and the pages of it, on a free port: what all tests of ``posterbot serve`` look at."""

from __future__ import annotations

import hashlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from conftest import encode, picture
from sqlalchemy import Engine

from models.phash import phash
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Film, Image, Model, Outcome, Page, Policy
from posterbot.stores.local import LocalStore
from posterbot.stores.store import DROPPED, object_path
from posterbot.web.app import make_app

TOKEN = "the-token-of-the-tests"
LABELS = ("poster", "album_cover", "photo", "logo")
MODEL = Model("web-images", "a" * 64, LABELS)
POLICY = Policy(("poster",), 0.5, MODEL, "anna", "arguments")
HOSTS = ("posters.example", "cinema.example", "shop.example")


@dataclass
class World:
    """``images`` pictures: two of three kept, every ninth close to the threshold, every dropped one kept small."""

    folder: Path
    images: int = 24
    kept: list[str] = field(default_factory=list)
    """sha256 of the kept images, in order; and of the others."""
    dropped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.url = f"sqlite:///{self.folder}/catalogue.db"
        self.engine: Engine = open_catalogue(self.url)
        self.store = LocalStore(str(self.folder / "images"))
        self.run = self.crawl(range(self.images)) if self.images else 0

    def crawl(self, numbers: range, policy: Policy = POLICY, end: str | None = "finished", **facts: Any) -> int:
        """Record a run that has seen the pictures ``numbers``."""
        recorder = Recorder(self.engine, spider="posters", arguments={"labels": "poster"}, version="1")
        written = [recorder.outcome(self.outcome(number, policy, **facts)) for number in numbers]
        recorder.policy(policy).result()
        for future in written:
            future.result()
        recorder.close(end)
        return recorder.run_id

    def outcome(self, number: int, policy: Policy = POLICY, **facts: Any) -> Outcome:
        """Picture ``number``, put into the store, and what became of it."""
        drawn = picture(120, 180, number)
        data = encode(drawn, quality=80)
        sha256 = hashlib.sha256(data).hexdigest()
        score = 0.52 if number % 9 == 4 else (0.1 if number % 3 == 2 else 0.9)
        keep = score >= policy.threshold
        path = object_path(sha256, "jpg")
        (self.kept if keep else self.dropped).append(sha256)
        self.store.put_if_absent(path if keep else f"{DROPPED}/{path}", data)
        host = HOSTS[number % len(HOSTS)]
        given: dict[str, Any] = {
            "alt": f"Poster of film {number}",
            "http_status": 200,
            "image": Image(
                sha256,
                len(data),
                "JPEG",
                600,
                900,
                phash(drawn),
                path if keep else None,
                None if keep else f"{DROPPED}/{path}",
                None if keep else len(data),
            ),
            "scores": np.array([score, 0.05, 0.9 - score if score < 0.9 else 0.03, 0.02], "<f4"),
            "policy": policy,
            "keep": keep,
            "verdict_reason": "relevant" if keep else "not_relevant",
            "label": "poster" if score > 0.5 else "photo",
            "score": score,
        }
        page = Page(
            f"https://{host}/film/{number}",
            200,
            f"Film {number}",
            films=(Film("Movie", f"Film {number}", 1950 + number),),
        )
        return Outcome(page, f"https://{host}/images/{number}.jpg", "img", **given | facts)

    @contextmanager
    def served(self, token: str | None = TOKEN, **options: Any) -> Iterator[str]:
        """The pages on a free port of loopback: their address, without a slash at its end."""
        app = make_app(self.engine, self.store, catalogue_url=self.url, token=token, **options)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", server_header=False))
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
            thread.start()
            deadline = time.monotonic() + 20
            while not server.started and time.monotonic() < deadline:
                time.sleep(0.01)
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                server.should_exit = True
                server.force_exit = True
                thread.join(10)

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser, for a module of tests."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no browser here: on Debian, apt-get install chromium fonts-dejavu-core")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
