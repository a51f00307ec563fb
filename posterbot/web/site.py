"""What all pages share: the catalogue, the store, how a template becomes an answer, and how an error is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import Engine
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from posterbot.catalogue.display import printable, size
from posterbot.frontier.display import duration
from posterbot.stores.store import Store
from posterbot.web.thumbnails import Thumbnails

_SHA256 = re.compile(r"[0-9a-f]{64}")
NAV = (
    ("/", "Crawl"),
    ("/frontier", "Frontier"),
    ("/gallery", "Gallery"),
    ("/review", "Review"),
    ("/quality", "Quality"),
    ("/duplicates", "Duplicates"),
    ("/export", "Export"),
)


class PageError(Exception):
    """What was asked for is not done; one sentence for the person who asked. Nothing has changed.

    Args:
        status: of HTTP; 400 for values that make no sense, 404 for what is not there (any more), 409 for what is not
            possible now.
        message: the sentence.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Site:
    """What pages need. One for the whole server; its parts may be used from several threads at once."""

    engine: Engine
    store: Store | None
    """None: the images cannot be reached; pages say so."""
    catalogue_url: str
    templates: Environment
    thumbnails: Thumbnails
    reviewer: str
    """In whose name answers and policies are recorded."""
    csrf: str
    """What a form has to send back as ``csrf``, or a script as the header ``X-CSRF``."""
    clock: Callable[[], datetime]

    def page(self, request: Request, template: str, /, status: int = 200, **values: Any) -> HTMLResponse:
        """A template as an answer. It finds ``site``, ``path`` and ``nav`` beside ``values``."""
        text = self.templates.get_template(template).render(
            **{"site": self, "path": request.url.path, "nav": NAV, "csrf": self.csrf} | values
        )
        return HTMLResponse(text.encode("utf-8", "replace"), status)

    def error(self, request: Request, error: PageError) -> Response:
        """An error in the form that was asked for: JSON ``{"error": …}`` for scripts, a page for people."""
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"error": error.message}, error.status)
        return self.page(request, "error.html", error.status, message=error.message, code=error.status, csrf="")


def form(request: Request) -> FormData:
    """The fields of a form that was sent; ``security.py`` has read and checked it."""
    fields: FormData = request.state.form
    return fields


def text_of(fields: FormData, name: str) -> str | None:
    """A field that was filled in, or None."""
    value = fields.get(name)
    return value.strip() or None if isinstance(value, str) else None


def sha256_in(request: Request) -> str:
    """``sha256`` in a route's path. Raises PageError 404 for anything but 64 hexadecimal digits."""
    given = str(request.path_params["sha256"])
    if not _SHA256.fullmatch(given):
        raise PageError(404, "There is no such image: an image is named by the 64 digits of its SHA-256.")
    return given


def run_in(request: Request) -> int | None:
    """``?run=N``, or None. Raises PageError 400 for anything but a number."""
    given = request.query_params.get("run", "")
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and 0 < int(given[:12]) < 2**31):
        raise PageError(400, "A run is named by its number.")
    return int(given)


def make_templates() -> Environment:
    """Jinja2, escaping everything, with the filters of the templates."""
    templates = Environment(
        loader=PackageLoader("posterbot.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "number": lambda value: f"{value:,}",
        "percent": _percent,
        "size": size,
        "duration": duration,
        "printable": printable,
        "when": _when,
        "web_link": _web_link,
    }
    templates.globals |= {"bar": _bar, "thumbnail_url": thumbnail_url, "image_url": image_url}
    return templates


def thumbnail_url(sha256: str) -> str:
    """Where ``pages/image.py`` serves the small picture of an image."""
    return f"/thumbnails/{sha256}.jpg"


def image_url(sha256: str) -> str:
    """The page of an image."""
    return f"/image/{sha256}"


def _percent(share: float | None, digits: int = 0) -> str:
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def _when(moment: datetime | None) -> str:
    """To the minute, UTC."""
    return "–" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def _web_link(url: str | None) -> str | None:
    """A URL that is safe in ``href``, or None."""
    return url if url and url.lower().startswith(("http://", "https://")) else None


def _bar(share: float | None) -> Markup:
    """A bar of the width ``share`` (0–1). An SVG, as the page's rules forbid styles in attributes."""
    width = 100 * min(1.0, max(0.0, share or 0.0))
    return Markup(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar-all" width="100" height="8"></rect>'
        f'<rect class="bar-of" width="{width:.2f}" height="8"></rect></svg>'
    )
