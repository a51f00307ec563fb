"""Pieces of a list of URLs as requests: they wait in the frontier like pages, and are answered without a download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.http import Response

from posterbot.catalogue.records import Claim, Page
from posterbot.frontier.again import AGAIN
from posterbot.items import PageItem
from posterbot.page import Candidate, FoundBy
from posterbot.spiders.lists import Listed

ROWS = "posterbot_rows"


def piece_request(
    file: Path,
    number: int,
    rows: Sequence[Listed | None],
    callback: Callable[..., Any],
    errback: Callable[..., Any],
) -> Request:
    """The request of piece ``number``, from 1, of the list ``file``; None in ``rows``: a row that names no image."""
    data = [None if row is None else [row.url, row.text, row.claim and asdict(row.claim)] for row in rows]
    meta = {ROWS: [number, data], "allow_offsite": True}
    return Request(f"{file.resolve().as_uri()}?piece={number}", callback, meta=meta, errback=errback)


def piece_of(response: Response) -> tuple[int, list[Listed | None]]:
    """Number and rows again."""
    number, data = response.meta[ROWS]
    return number, [None if row is None else Listed(row[0], row[1], _claim(row[2])) for row in data]


class PieceMiddleware:
    """Downloader middleware: the answer to a piece's request is there already."""

    def process_request(self, request: Request) -> Response | None:
        """Called by Scrapy before the download."""
        return Response(request.url) if ROWS in request.meta or AGAIN in request.meta else None


def items_again(response: Response) -> list[PageItem]:
    """Images that ``posterbot retry`` wants to be fetched again, each as an item of its page."""
    wanted = response.meta[AGAIN]
    page = Page(**wanted["page"])
    items = []
    for image in wanted["images"]:
        facts = _tuples(image["candidate"])
        candidate = Candidate(**{**facts, "found_by": FoundBy(facts["found_by"])})
        items.append(PageItem(page, (candidate,), _claim(image["claim"])))
    return items


def _claim(data: dict[str, Any] | None) -> Claim | None:
    return None if data is None else Claim(**_tuples(data))


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    """JSON knows lists only."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
