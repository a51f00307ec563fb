"""The gallery: all images, narrowed down, as long as one likes to scroll."""

from __future__ import annotations

import math
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from posterbot.catalogue.display import printable
from posterbot.catalogue.gallery import (
    ALL,
    NEWEST,
    ORDERS,
    SHOWN,
    Filter,
    Tile,
    first,
    host_number,
    hosts_known,
    labels_known,
    tiles,
)
from posterbot.reasons import Reason
from posterbot.web.image_lists import ImageLists
from posterbot.web.site import PageError, Site

PAGE = 60
"""Tiles that come at once."""
MOST_TILES = 240
LONGEST = 200
"""Characters of a word to look for."""
FIELDS = ("label", "low", "high", "host", "film", "reason", "order")


def routes(site: Site) -> list[BaseRoute]:
    """``/gallery``, and what its script asks for."""
    lists = ImageLists(site.engine)

    def gallery(request: Request) -> Response:
        given = {name: request.query_params.get(name, "").strip() for name in ("show", *FIELDS)}
        error, at_first = None, []
        try:
            asked = filter_in(site, given)
            at_first = [_told(tile) for tile in first(site.engine, asked, PAGE)]
        except PageError as wrong:
            error = wrong
        narrowed = {name: given[name] for name in FIELDS if given[name] and (name, given[name]) != ("order", NEWEST)}
        shown = given["show"] if given["show"] in SHOWN else ALL
        return site.page(
            request,
            "gallery.html",
            400 if error else 200,
            given=given,
            show=shown,
            shows=[(name, "?" + urlencode({"show": name} | narrowed)) for name in SHOWN],
            query=urlencode({"show": shown} | narrowed),
            narrowed=narrowed,
            first=at_first,
            labels=labels_known(site.engine),
            hosts=hosts_known(site.engine),
            reasons=[reason.value for reason in Reason],
            orders=ORDERS,
            error=None if error is None else error.message,
        )

    def a_list(request: Request) -> Response:
        asked = filter_in(site, request.query_params)
        name, found = lists.open(asked)
        numbers = found.shown(asked.show)
        return JSONResponse(
            {
                "list": name,
                "total": len(numbers),
                "first": int(numbers[0]) if len(numbers) else None,
                "counts": found.counts(),
            }
        )

    def some_tiles(request: Request) -> Response:
        given = request.query_params
        show = given.get("show", ALL)
        if show not in SHOWN:
            raise PageError(400, f"Show one of {', '.join(SHOWN)}.")
        start, number = _whole(given.get("start", ""), 2**31), _whole(given.get("number", ""), MOST_TILES)
        found = lists.named(given.get("list", ""))
        if found is None:
            raise PageError(410, "This list has been put away; it is read anew.")
        numbers = found.shown(show)[start : start + number]
        told = tiles(site.engine, numbers.tolist())
        return JSONResponse({"start": start, "tiles": [tile and _told(tile) for tile in told]})

    return [
        Route("/gallery", gallery),
        Route("/gallery/list", a_list),
        Route("/gallery/tiles", some_tiles),
    ]


def filter_in(site: Site, given: Mapping[str, str]) -> Filter:
    """What a query asks for. Raises PageError 400 with one sentence, where that makes no sense."""
    text = {name: (given.get(name) or "").strip() for name in ("show", *FIELDS)}
    for name, value in text.items():
        if len(value) > LONGEST or not value.isprintable():
            raise PageError(400, f"That cannot be a {name}: give at most {LONGEST} letters.")
    show, order = text["show"] or ALL, text["order"] or NEWEST
    if show not in SHOWN:
        raise PageError(400, f"“{show}” cannot be shown: there is {', '.join(SHOWN)}.")
    if order not in ORDERS:
        raise PageError(400, f"“{order}” is no order: there is {', '.join(ORDERS)}.")
    low, high = _score(text["low"]), _score(text["high"])
    if low is not None and high is not None and low > high:
        raise PageError(400, f"No score is at least {low:g} and at most {high:g}.")
    label, reason, host = text["label"] or None, text["reason"] or None, text["host"].lower() or None
    if label is not None and label not in labels_known(site.engine):
        raise PageError(400, f"No model of this catalogue knows the label “{label}”.")
    if reason is not None and reason not in {known.value for known in Reason}:
        raise PageError(400, f"“{reason}” is no reason.")
    if host is not None and host_number(site.engine, host) is None:
        raise PageError(400, f"No image is from the host “{host}”.")
    return Filter(show, label, low, high, host, text["film"] or None, reason, order)


def _score(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise PageError(400, f"“{text}” is no score: a score is from 0 to 1.")
    return value


def _whole(text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and int(text) <= most):
        raise PageError(400, f"Give a number from 0 to {most:,}.")
    return int(text)


def _told(tile: Tile) -> list[object]:
    """A tile for the script, by place: names for each would double it."""
    return [
        tile.number,
        tile.sha256,
        printable(tile.name),
        tile.kept,
        tile.label and printable(tile.label),
        None if tile.score is None else round(tile.score, 4),
        tile.reason,
        tile.path is not None,
        tile.width,
        tile.height,
    ]
