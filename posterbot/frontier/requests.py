"""Requests as data: what a database gives back can be wrong, but it can never be code."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.utils.request import request_from_dict

if TYPE_CHECKING:
    from scrapy import Spider

TICKET = "posterbot_ticket"
"""Key in ``Request.meta`` of the lease under which the request is fetched."""

PARENT = "posterbot_parent"
"""Key in ``Request.meta`` of a link: the key of the page on which it was found."""

PLACE = "posterbot_place"
"""Key in ``Request.meta`` of a link: the :class:`~posterbot.frontier.records.Place` where it stands there."""

_DEFAULTS: dict[str, Any] = {
    "method": "GET",
    "headers": {},
    "body": b"",
    "cookies": {},
    "meta": {},
    "encoding": "utf-8",
    "dont_filter": False,
    "flags": [],
    "cb_kwargs": {},
    "callback": "parse",
    "errback": "failed",
    "priority": 0,
}
_PLAIN = ("method", "cookies", "encoding", "dont_filter", "flags", "priority")
# Of this process, or of the fetch that led here.
_PASSING_META = {TICKET, PARENT, PLACE, "download_latency", "download_slot", "download_timeout"}


class RequestError(ValueError):
    """A request that cannot be stored, or a row that is none; one line."""


def to_json(request: Request, spider: Spider) -> str:
    """All of ``request`` but its URL, without what every request has.

    Raises:
        RequestError: it holds something that is not data.
    """
    kept: dict[str, Any] = {}
    for name in _PLAIN:
        value = getattr(request, name)
        if value != _DEFAULTS[name]:
            kept[name] = value
    for name in ("callback", "errback"):
        method = _method(getattr(request, name), request, spider)
        if method not in {None, _DEFAULTS[name]}:
            kept[name] = method
    if meta := {name: value for name, value in request.meta.items() if name not in _PASSING_META}:
        kept["meta"] = meta
    if request.cb_kwargs:
        kept["cb_kwargs"] = request.cb_kwargs
    if request.body:
        kept["body"] = b64encode(request.body).decode()
    if request.headers:
        kept["headers"] = {
            name.decode("latin-1"): [value.decode("latin-1") for value in values]
            for name, values in request.headers.items()
        }
    try:
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise RequestError(f"{request.url}: the frontier stores data only: {error}") from None


def _method(callback: Any, request: Request, spider: Spider) -> str | None:
    if callback is None:
        return None
    name: str = getattr(callback, "__name__", "")
    if getattr(spider, name, None) != callback:
        raise RequestError(f"{request.url}: the callback {callback!r} is no method of {spider.name}")
    return name


def from_json(url: str, text: str, spider: Spider) -> Request:
    """The request again.

    Raises:
        RequestError: the row is damaged.
    """
    try:
        kept = json.loads(text)
        if not isinstance(kept, dict) or kept.keys() - _DEFAULTS.keys():
            raise ValueError("not the parts of a request")
        whole: dict[str, Any] = {name: kept.get(name, default) for name, default in _DEFAULTS.items()}
        for name in (whole["callback"], whole["errback"]):
            if name not in spider.CALLBACKS:  # type: ignore[attr-defined]
                raise ValueError(f"{name!r} is no callback of {spider.name}")
        whole["body"] = b64decode(kept["body"], validate=True) if "body" in kept else b""
        whole["headers"] = {
            name.encode("latin-1"): [value.encode("latin-1") for value in values]
            for name, values in whole["headers"].items()
        }
        whole["meta"], whole["cb_kwargs"] = dict(whole["meta"]), dict(whole["cb_kwargs"])
        return request_from_dict({"url": url, **whole}, spider=spider)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise RequestError(f"{url}: damaged row of the frontier: {error}") from None
