"""A real ``scrapy crawl`` in a process of its own, and what it left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.queries import Sighting, sightings

ROOT = Path(__file__).parents[2]


@dataclass
class Crawl:
    """One finished crawl."""

    code: int
    output: str
    folder: Path

    @property
    def catalogue(self) -> str:
        return f"sqlite:///{self.folder}/catalogue.db"

    @property
    def store(self) -> Path:
        return self.folder / "images"

    def sightings(self) -> list[Sighting]:
        engine = open_catalogue(self.catalogue, must_exist=True)
        found = list(sightings(engine, verdict=None, reason=None, run=None, limit=None))
        engine.dispose()
        return found

    def reasons(self) -> dict[str, str]:
        """Path of each image seen → its reason."""
        return {"/" + s.url.split("/", 3)[3]: s.reason for s in self.sightings()}


def command(folder: Path, *arguments: str, **settings: object) -> list[str]:
    """The command line of a crawl that keeps everything below ``folder``."""
    given = {
        "IMAGES_STORE": folder / "images",
        "CATALOGUE_URL": f"sqlite:///{folder}/catalogue.db",
        "SPOOL": folder / "spool",
        "REPORTS": folder / "runs",
        "TELNETCONSOLE_PORT": "0",
        "ALLOWED_PRIVATE_HOSTS": "127.0.0.0/8",
        # The pictures of tests are blurs, and their pages have few words: tests of the gates switch them on.
        "GATES": "",
        "QUALITY_GATES": False,
        "RETRY_BACKOFF": 0.05,
        "HOST_BACKOFF": 0.1,
        **settings,
    }
    words = [sys.executable, "-m", "scrapy", "crawl", "posters", *arguments]
    return words + [word for name, value in given.items() for word in ("-s", f"{name}={value}")]


def environment() -> dict[str, str]:
    """No settings from outside, and Google's client does not ask the network who it is."""
    ours = {"IMAGES_STORE", "CATALOGUE_URL", "OPERATOR_CONTACT", "START", "REPORTS", "SPOOL"}
    return {name: value for name, value in os.environ.items() if name not in ours} | {"NO_GCE_CHECK": "true"}


def crawl(folder: Path, *arguments: str, timeout: float = 100, **settings: object) -> Crawl:
    """Run it to the end."""
    done = subprocess.run(
        command(folder, *arguments, **settings),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Crawl(done.returncode, done.stdout + done.stderr, folder)
