"""What a wiki's API says of its files: where they lie, under which licence, and the URL of the original.

Polite as Wikimedia asks (mediawiki.org, "API:Etiquette" and "Wikimedia APIs/Rate limits"): a contact in the User-Agent,
fifty titles a request, at most three requests at the same time and two hundred a minute, ``maxlag=5``, and Retry-After
obeyed, by all three.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from wikidump.filename import original_url
from wikidump.licence import repository_code
from wikidump.rows import Row
from wikidump.title import clean_title
from wikidump.web import FIRST_WAIT, TRIES, WebError, check_contact, fetch, patience, retry_after

BATCH, AT_ONCE, PER_MINUTE, MAXLAG = 50, 3, 200, 5

_tag = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """One file by the ``name`` it was asked for. ``repository`` is local or commons; None if there is no such file.

    ``target`` is its name now, where it was moved. ``licence`` is a short name, ``url`` that of the original.
    """

    name: str
    repository: str | None
    target: str
    licence: str | None
    url: str | None


def is_asked(row: Row) -> bool:
    """Whether there is something about the row's file that only the API knows."""
    return row.image_status == "ok" and (row.repository is None or row.licence is None)


def wiki_asked(row: Row) -> str:
    """The wiki that knows the row's file."""
    return row.repository if row.repository not in (None, "local", "commons") else row.wiki


def complete(row: Row, info: ImageInfo | None) -> Row:
    """The row with what the API says. A file that does not exist has no URL."""
    if info is None or not is_asked(row):
        return row
    if info.repository is None:
        return replace(row, url=None)
    away = wiki_asked(row) != row.wiki and info.repository == "local"
    repository = row.repository if away else info.repository
    return replace(row, image_name=info.target, repository=repository, licence=info.licence, url=info.url)


def api_url(wiki: str) -> str:
    """Where the API of a Wikipedia is."""
    return f"https://{repository_code(wiki)}.wikipedia.org/w/api.php"


class Api:
    """The API of the wiki ``wiki`` at ``url``; requests start at least ``60 / per_minute`` seconds apart."""

    def __init__(self, wiki: str, url: str, contact: str, per_minute: float = PER_MINUTE) -> None:
        check_contact(url, contact)
        self._wiki, self._url, self._contact = wiki, url, contact
        self._between = 60 / per_minute
        self._next = 0.0
        self._lock, self._stop = threading.Lock(), threading.Event()

    def ask(self, names: Sequence[str]) -> Iterator[ImageInfo]:
        """What is known of each of ``names``, in order.

        Raises:
            WebError: the API does not answer, or not with what was asked for.
        """
        batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="imageinfo")
        try:
            for answers in pool.map(self._ask, batches):
                yield from answers
        finally:
            self._stop.set()
            pool.shutdown(cancel_futures=True)

    def _ask(self, names: Sequence[str]) -> list[ImageInfo]:
        now_called: dict[str, str] = {}
        pages: dict[str, dict[str, Any]] = {}
        more: dict[str, str] = {}
        while True:
            reply = self._reply(names, more)
            query = reply.get("query", {})
            for step in ("normalized", "redirects"):
                now_called |= {each["from"]: each["to"] for each in query.get(step, ())}
            for page in query.get("pages", ()):
                known = pages.setdefault(page["title"], page)
                known.setdefault("imageinfo", page.get("imageinfo", []))
                known["imageinfo"] = known["imageinfo"] or page.get("imageinfo", [])
            more = reply.get("continue", {})
            if not more:
                return [self._info(name, now_called, pages) for name in names]

    def _info(self, name: str, now_called: dict[str, str], pages: dict[str, dict[str, Any]]) -> ImageInfo:
        title = f"File:{name}"
        for _ in range(5):  # normalised, then redirected
            title = now_called.get(title, title)
        page = pages.get(title, {})
        repository = {"local": "local", "shared": "commons"}.get(page.get("imagerepository", ""))
        if repository is None or not page.get("imageinfo"):
            return ImageInfo(name, None, name, None, None)
        info = page["imageinfo"][0]
        target = clean_title(title.partition(":")[2], self._wiki)
        url = info.get("url", "").partition("?")[0]
        if not url.startswith("https://") or "/thumb/" in url:
            url = original_url(target, "commons" if repository == "commons" else repository_code(self._wiki))
        facts = {key: str(value.get("value", "")) for key, value in (info.get("extmetadata") or {}).items()}
        nonfree = facts.get("NonFree", "").casefold() in ("true", "1", "yes")
        licence = "non-free" if nonfree else _tag.sub("", facts.get("LicenseShortName", "")).strip() or None
        return ImageInfo(name, repository, target, licence, url)

    def _reply(self, names: Sequence[str], more: dict[str, str]) -> dict[str, Any]:
        parameters = {
            "action": "query",
            "format": "json",
            "formatversion": "2",
            "maxlag": str(MAXLAG),
            "redirects": "1",
            "prop": "imageinfo",
            "iiprop": "url|extmetadata",
            "iiextmetadatafilter": "LicenseShortName|NonFree",
            "titles": "|".join(f"File:{name}" for name in names),
            **more,
        }
        wait = FIRST_WAIT
        for _ in range(TRIES):
            self._turn()
            # Fifty titles may be too long for a URL. The header tells the servers that nothing is changed.
            headers = {"Promise-Non-Write-API-Action": "true"}
            with fetch(
                self._url, self._contact, headers=headers, body=urlencode(parameters).encode(), pause=self._hold
            ) as response:
                asked = retry_after(response.headers.get("Retry-After"))
                try:
                    reply = json.loads(response.read())
                except (ValueError, OSError, HTTPException):
                    reply = None
            if isinstance(reply, dict) and "error" not in reply:
                return reply
            error = reply["error"] if isinstance(reply, dict) else {"code": "no-json", "info": "the answer is no JSON"}
            if error.get("code") not in ("maxlag", "ratelimited", "readonly", "no-json"):
                break
            self._later(max(patience(self._url, asked, wait), wait))
            wait *= 2
        raise WebError(f"{self._url}: {error.get('info') or error.get('code')}")

    def _turn(self) -> None:
        """Wait until the next request may start."""
        while True:
            with self._lock:
                left = self._next - time.monotonic()
                if left <= 0:
                    self._next = time.monotonic() + self._between
                    return
            if self._stop.wait(left):
                raise WebError("stopped")

    def _later(self, seconds: float) -> None:
        """No request starts for so long: the server asked one of them to wait."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def _hold(self, seconds: float) -> None:
        self._later(seconds)
        self._turn()
