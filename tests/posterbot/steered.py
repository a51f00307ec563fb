"""A crawl that goes on until it is told to end, to be steered meanwhile; and a second model to swap in."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from conftest import Answer, Site, encode, picture
from crawling import ROOT, command, environment
from sqlalchemy import Connection

from models.registry import load_model
from models.taught import Head
from posterbot.catalogue.database import open_catalogue

LABELS = ("poster", "album_cover", "photo")
"""Of the second model."""
EVERYWHERE = "/everywhere.png"


class Endless(Site):
    """Pages with four pictures each, every one another, until ``ended``; on two hosts, one for each of two workers."""

    def __init__(self, delay: float) -> None:
        super().__init__()
        self.delay, self.ended = delay, False
        self.pictures: set[str] = set()
        """Paths of all that stand on pages which were asked for, but for the one that stands on every page."""
        self.image(EVERYWHERE, encode(picture(110, 160, seed=10**6), "PNG"), "image/png")

    def get(self, path: str, default: Answer) -> Answer:  # type: ignore[override]
        if found := re.fullmatch(r"/(\d+)\.png", path):
            return Answer(encode(picture(110, 160, seed=int(found[1])), "PNG"), "image/png", delay=self.delay)
        if not (found := re.fullmatch(r"/page/(\d+)", path)):
            return super().get(path, default)
        page = int(found[1])
        shown = [f"/{4 * page + n}.png" for n in range(4)]
        self.pictures.update(shown)
        # Each host leads on to pages of its own.
        onward = "" if self.ended else f'<a href="/page/{page + 2}">more</a>'
        return Answer(
            "".join(f'<p>{path}<img src="{path}">' for path in (*shown, EVERYWHERE)).encode() + onward.encode()
        )

    @property
    def starts(self) -> str:
        """Eight pages of each host to begin with."""
        other = self.url.replace("127.0.0.1", "localhost")
        return ",".join(f"{(self.url, other)[n % 2]}/page/{n * 1000 + n % 2}" for n in range(16))


class Running:
    """One worker of a crawl."""

    def __init__(self, folder: Path, start: str, log: Path, *arguments: str, **settings: object) -> None:
        self.log = log
        words = ("-a", f"start={start}", *arguments)
        given = {"LOG_FILE": log, "LOG_LEVEL": "INFO", "REMOTE_CONTROL_JOBS_DIR": folder / "jobs", **settings}
        given |= {"TELNETCONSOLE_USERNAME": "scrapy", "TELNETCONSOLE_PASSWORD": "secret"}
        self.process = subprocess.Popen(
            command(folder, *words, **given),
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def telnet_port(self) -> int:
        found = re.search(r"Telnet console listening on 127\.0\.0\.1:(\d+)", self.log.read_text())
        assert found
        return int(found[1])

    def end(self) -> str:
        """Wait until it has ended by itself; its output."""
        output, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, output + self.log.read_text()[-5000:]
        return output

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.communicate()


def until(true: Callable[[], object], seconds: float = 60) -> float:
    """Wait for it; how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds
        time.sleep(0.02)
    return time.monotonic() - began


def second_model(folder: Path, labels: tuple[str, ...] = LABELS, seed: int = 1) -> Path:
    """A head with weights of chance on the shipped model."""
    base = load_model()
    rng = np.random.default_rng(seed)
    head = Head(
        rng.normal(size=(base.dimensions, len(labels))).astype(np.float32),
        np.zeros(len(labels), np.float32),
        np.zeros(base.dimensions, np.float32),
        np.ones(base.dimensions, np.float32),
        np.array(10, np.float32),
    )
    folder.mkdir(parents=True)
    (folder / "head.npz").write_bytes(head.to_bytes())
    (folder / "labels.txt").write_text("\n".join(labels))
    (folder / "model.toml").write_text(
        f'kind = "taught"\nname = "{folder.name}"\nbase = "web-images"\nbase_hash = "{base.hash}"\n'
        'head = "head.npz"\nlabels = "labels.txt"\n'
    )
    return folder


def ask(folder: Path, question: Callable[[Connection], object]) -> object:
    """Of the catalogue of a crawl."""
    engine = open_catalogue(f"sqlite:///{folder}/catalogue.db", must_exist=True)
    try:
        with engine.connect() as connection:
            return question(connection)
    finally:
        engine.dispose()


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Job files of these crawls only."""
    monkeypatch.setenv("REMOTE_CONTROL_JOBS_DIR", str(tmp_path / "jobs"))
    return tmp_path / "jobs"
