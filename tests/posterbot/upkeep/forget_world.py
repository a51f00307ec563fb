"""A catalogue, a store, a spool and reports with something to forget in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catalogue.catalogue_records import failed, image, judged
from conftest import encode, picture
from sqlalchemy import Engine, LargeBinary, select

from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Claim, Film, Outcome, Page
from posterbot.catalogue.schema import metadata
from posterbot.frontier.again import AGAIN
from posterbot.stores.local import LocalStore
from posterbot.stores.spool import Spool
from posterbot.stores.store import object_path
from posterbot.upkeep.forget import Forgot, forget
from posterbot.upkeep.forget_rows import Found, find, read_wanted
from posterbot.web.contact_sheet import write_contact_sheet

METROPOLIS, M = Film("Movie", "Metropolis", 1927), Film("Movie", "M", 1931)
LISTED = Film("Movie", "Nosferatu", same_as=("https://www.imdb.com/title/tt0013442/",))
A = Page("https://a.example/film/1", 200, "Page A", films=(METROPOLIS,))
B = Page("https://b.example/list", 200, "Page B", referrer=A.url, films=(METROPOLIS, M))
C = Page("https://c.example/film/3", 200, "Page C", films=(LISTED,))
ARTICLE = Page("https://wiki.example/wiki/Faust", title="Faust")
FAUST = Claim("file:///list.csv", "enwiki", "Faust", imdb_id="tt0016847")


def bytes_of(name: str) -> bytes:
    return encode(picture(40, 60, seed=sum(name.encode())))


def sha256_of(name: str) -> str:
    return hashlib.sha256(bytes_of(name)).hexdigest()


def path_of(name: str) -> str:
    return object_path(sha256_of(name), "jpg")


class World:
    """``secret`` is seen on page A only, ``shared`` on A and B, ``other`` on B, ``third`` on C, ``faust`` in a list.

    ``secret`` was also tried on B, in vain, and is an alternative of ``other``.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.store = LocalStore(str(folder / "images"))
        self.spool = Spool(folder / "spool", self.store.name, 10**9)
        self.reports = folder / "runs"

    def fill(self, end: str | None = "finished") -> int:
        """One run of it all; gives its number."""
        recorder = Recorder(self.engine, spider="posters", arguments={}, version="1", job="job")
        faust = self.seen("faust", ARTICLE, url="https://upload.example/faust.jpg", claim=FAUST)
        outcomes = (
            self.seen("secret", A),
            self.seen("shared", A),
            self.seen("shared", B, url="https://mirror.example/shared.jpg"),
            self.seen("other", B, alternatives=("https://images.example/secret.jpg", "https://x.example/o.jpg")),
            failed("secret", B, "timeout"),
            self.seen("third", C),
            faust,
        )
        recorder.together(outcomes)
        recorder.close(end)
        for name in ("shared", "other", "third", "faust"):
            self.store.put_if_absent(path_of(name), bytes_of(name))
        self.spool.put_if_absent(path_of("secret"), bytes_of("secret"))
        write_contact_sheet(self.engine, self.store, self.sheet(recorder.run_id), recorder.run_id)
        return recorder.run_id

    def sheet(self, run: int) -> Path:
        return self.reports / str(run) / "kept.html"

    def seen(self, name: str, page: Page, url: str = "", **facts: Any) -> Outcome:
        outcome = judged(name, page, **facts)
        there = image(name, sha256=sha256_of(name), bytes=len(bytes_of(name)), path=path_of(name))
        values = {field: getattr(outcome, field) for field in outcome.__dataclass_fields__}
        url = url or outcome.url
        return Outcome(**values | {"image": there, "url": url, "final_url": url})

    def find(self, **wanted: list[str]) -> Found:
        return find(self.engine, read_wanted(**wanted))

    def forget(self, **wanted: list[str]) -> Forgot:
        return forget(self.engine, self.find(**wanted), [self.store], self.folder / "spool", self.reports)

    # --- what is left ---

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text in every row, and where it is; hashes of tombstones are none."""
        with self.engine.connect() as connection:
            for table in metadata.sorted_tables:
                for row in connection.execute(select(table)).mappings():
                    for column in table.c:
                        if row[column] is not None and not isinstance(column.type, LargeBinary):
                            yield f"{table.name}.{column.name}", str(row[column])

    def names(self, *words: str) -> set[str]:
        """Where one of ``words`` is still said: columns, and files of the folder that are not the database."""
        rows = {place for place, text in self.texts() if any(word in text for word in words)}
        files = {
            str(file.relative_to(self.folder))
            for file in self.folder.rglob("*")
            if file.is_file()
            and "catalogue.db" not in file.name
            and any(word in str(file) or word.encode() in file.read_bytes() for word in words)
        }
        return rows | files

    def images(self) -> set[str]:
        """The names of those that are in the store or the spool."""
        names = {path_of(name): name for name in ("secret", "shared", "other", "third", "faust")}
        return {names[found.path] for place in (self.store, self.spool) for found in place.list()}

    def dump(self) -> list[tuple[str, str]]:
        return sorted(self.texts())


def piece(*urls: str) -> str:
    """The request of a piece of a list, and of images to be fetched again, as the frontier has them."""
    rows = [[url, "", None] for url in urls]
    return json.dumps({"callback": "listed", "meta": {"posterbot_rows": [1, rows]}})


def again(page: Page, *urls: str) -> str:
    images = [{"candidate": {"url": url, "found_by": "img"}, "claim": None} for url in urls]
    return json.dumps({"callback": "again", "meta": {AGAIN: {"page": {"url": page.url}, "images": images}}})
