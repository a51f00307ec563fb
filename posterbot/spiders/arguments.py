"""``-a`` arguments to something checked: what is wrong is said in one line, before the first request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from models.classifier import Classifier, ModelError
from models.registry import DEFAULT, load_model
from posterbot.politeness import CONTACT_MISSING, is_loopback
from posterbot.spiders.lists import ListError, read_urls
from posterbot.steering.labels import PolicyError
from posterbot.steering.live import LivePolicy

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

KNOWN = ("labels", "threshold", "top", "model", "start", "urls", "domains", "since")
SAMPLE = "sample"


class ArgumentError(ValueError):
    """A spider argument or setting cannot be used; one line that names the fix."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a crawl was asked to do. ``start`` is empty for the sample site and where only a list is fetched."""

    policy: LivePolicy
    model: Classifier
    start: tuple[str, ...]
    sample: bool
    urls: Path | None
    domains: tuple[str, ...]
    job: str | None
    """Equal for crawls that are the same work; None where a crawl cannot go on after a stop."""
    since: datetime | None = None


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
        policy = LivePolicy(model, given.get("labels", "poster"), given.get("threshold"), given.get("top"))
    except (ModelError, PolicyError) as error:
        raise ArgumentError(str(error)) from None
    urls = Path(given["urls"]) if given.get("urls") else None
    # A list alone is a whole job; the setting START is for the bare command.
    start = given.get("start") or ("" if urls else settings["START"])
    try:
        # Opens the list and reads on to its first image, so that a wrong file is refused now.
        first = next((row.url for row in read_urls(urls) if row is not None), None) if urls else None
        pages = () if start == SAMPLE else tuple(_start_pages(start))
    except ListError as error:
        raise ArgumentError(str(error)) from None
    if not settings["OPERATOR_CONTACT"]:
        abroad = [url for url in pages if not is_loopback(urlsplit(url).hostname)]
        if first is not None and _is_on_the_web(first):
            abroad.append(first)
        if abroad:
            raise ArgumentError(f"{abroad[0]}: {CONTACT_MISSING}")
    domains = tuple(name.strip().lower() for name in given.get("domains", "").split(",") if name.strip())
    since = given.get("since", "")
    job = (
        None if start == SAMPLE else _job(start, urls, domains, since)
    )  # the sample site has another address each time
    return Arguments(policy, model, pages, start == SAMPLE, urls, domains, job, read_since(since, datetime.now(UTC)))


def read_since(text: str, now: datetime) -> datetime | None:
    """A moment: ``7d``, ``12h``, ``now``, or a date or time of ISO 8601, in UTC where it does not say; empty: None.

    Raises:
        ArgumentError: anything else.
    """
    if not text:
        return None
    if text == "now":
        return now
    unit = {"d": "days", "h": "hours"}.get(text[-1])
    if unit and text[:-1].isascii() and text[:-1].isdecimal() and len(text) < 7:
        return now - timedelta(**{unit: int(text[:-1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentError(f"since {text!r}: give 7d, 12h, now, or a date such as 2026-01-31") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _job(start: str, urls: Path | None, domains: tuple[str, ...], since: str) -> str:
    """What is crawled, whatever is looked for."""
    return json.dumps(
        {"start": start, "urls": urls and str(urls.resolve()), "domains": sorted(domains), "since": since}
    )


def _start_pages(start: str) -> Iterator[str]:
    for part in (part.strip() for part in start.split(",")):
        if not part:
            continue
        if part.startswith(("http://", "https://")):
            if not urlsplit(part).hostname:
                raise ArgumentError(f"start: {part!r} has no host")
            yield part
        elif Path(part).is_file():
            yield from (row.url for row in read_urls(Path(part)) if row is not None)
        else:
            raise ArgumentError(f"start: {part!r} is neither an http(s) URL, nor a file, nor {SAMPLE!r}")


def _is_on_the_web(url: str) -> bool:
    """Does it lead to another machine? Lists also have what is no address."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return url.startswith(("http://", "https://")) and host is not None and not is_loopback(host)
