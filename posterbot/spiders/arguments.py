"""``-a`` arguments to something checked: what is wrong is said in one line, before the first request."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from models.classifier import Classifier, ModelError
from models.registry import DEFAULT, load_model
from posterbot.politeness import CONTACT_MISSING, is_loopback
from posterbot.steering.live import LivePolicy, PolicyError

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

KNOWN = ("labels", "threshold", "model", "start", "urls", "domains")
SAMPLE = "sample"


class ArgumentError(ValueError):
    """A spider argument or setting cannot be used; one line that names the fix."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list of URLs; ``text`` describes the image, where the list does."""

    url: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a crawl was asked to do. ``start`` is empty for the sample site and where only a list is fetched."""

    policy: LivePolicy
    model: Classifier
    start: tuple[str, ...]
    sample: bool
    urls: Path | None
    domains: tuple[str, ...]


def read_arguments(settings: BaseSettings, given: dict[str, str]) -> Arguments:
    """Check all arguments of ``scrapy crawl posters``.

    Raises:
        ArgumentError: the first one that cannot be used.
    """
    unknown = sorted(set(given) - set(KNOWN))
    if unknown:
        raise ArgumentError(f"unknown argument -a {unknown[0]}: posters takes {', '.join(KNOWN)}")
    try:
        model = load_model(given.get("model", DEFAULT))
        policy = LivePolicy(model, given.get("labels", "poster"), given.get("threshold", 0.5))
    except (ModelError, PolicyError) as error:
        raise ArgumentError(str(error)) from None
    urls = Path(given["urls"]) if given.get("urls") else None
    if urls is not None:
        next(read_urls(urls), None)  # opens it and reads the first row, so that a wrong file is refused now
    # A list alone is a whole job; the setting START is for the bare command.
    start = given.get("start") or ("" if urls else settings["START"])
    pages = () if start == SAMPLE else tuple(_start_pages(start))
    if not settings["OPERATOR_CONTACT"]:
        abroad = [url for url in pages if not is_loopback(urlsplit(url).hostname)]
        if abroad:
            raise ArgumentError(f"{abroad[0]}: {CONTACT_MISSING}")
    domains = tuple(name.strip().lower() for name in given.get("domains", "").split(",") if name.strip())
    return Arguments(policy, model, pages, start == SAMPLE, urls, domains)


def _start_pages(start: str) -> Iterator[str]:
    for part in (part.strip() for part in start.split(",")):
        if not part:
            continue
        if part.startswith(("http://", "https://")):
            if not urlsplit(part).hostname:
                raise ArgumentError(f"start: {part!r} has no host")
            yield part
        elif Path(part).is_file():
            yield from (row.url for row in read_urls(Path(part)))
        else:
            raise ArgumentError(f"start: {part!r} is neither an http(s) URL, nor a file, nor {SAMPLE!r}")


def read_urls(file: Path) -> Iterator[Listed]:
    """Rows of a list of URLs: ``.csv``, ``.jsonl`` or ``.parquet`` with a column ``url``, else one URL a line.

    Rows without a URL are passed over, as dumps have them; ``alt`` or ``title`` becomes the row's text.

    Raises:
        ArgumentError: missing, unreadable, or without a column ``url``.
    """
    try:
        for row in _rows(file):
            if "url" not in row:
                raise ArgumentError(
                    f"urls: {file} has no column 'url' (found: {', '.join(map(str, row)) or 'nothing'})"
                )
            url = str(row["url"] or "").strip()
            if url:
                yield Listed(url, str(row.get("alt") or row.get("title") or ""))
    except OSError as error:
        raise ArgumentError(f"urls: cannot read {file}: {error.strerror or error}") from None
    except (ValueError, csv.Error) as error:
        if isinstance(error, ArgumentError):
            raise
        raise ArgumentError(f"urls: {file} is not a readable {file.suffix or 'text'} file: {error}") from None


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    kind = file.suffix.lower()
    if kind == ".parquet":
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(file) as table:
            names = [name for name in ("url", "alt", "title") if name in table.schema_arrow.names]
            if "url" not in names:
                yield dict.fromkeys(table.schema_arrow.names)
            for batch in table.iter_batches(1000, columns=names):
                yield from batch.to_pylist()
        return
    with file.open(encoding="utf-8-sig", newline="" if kind == ".csv" else None) as lines:
        if kind == ".csv":
            yield from csv.DictReader(lines)
        elif kind in {".jsonl", ".ndjson"}:
            for line in lines:
                if line.strip():
                    row = json.loads(line)
                    yield row if isinstance(row, dict) else {}
        else:
            yield from ({"url": line.strip()} for line in lines if not line.startswith("#"))
