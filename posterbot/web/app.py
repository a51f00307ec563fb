"""The pages of ``posterbot serve``, as one ASGI application."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from posterbot.catalogue.database import catalogue_error
from posterbot.stores.store import Store
from posterbot.web.pages import crawl, duplicates, export, frontier, gallery, image, quality, review
from posterbot.web.security import Guard, csrf_of
from posterbot.web.site import PageError, Site, make_templates
from posterbot.web.thumbnails import Thumbnails


def make_app(
    engine: Engine,
    store: Store | None,
    *,
    catalogue_url: str,
    token: str | None,
    hosts: Collection[str] = (),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Starlette:
    """All pages.

    Args:
        engine: from ``open_catalogue``; stays open.
        store: of the images; None where it cannot be reached.
        catalogue_url: of ``engine``: crawls are found by it.
        token: see :class:`~posterbot.web.security.Guard`; None: no token is asked for.
        hosts: see there.
        clock: now, aware.
    """
    site = Site(engine, store, catalogue_url, make_templates(), Thumbnails(store), _reviewer(), csrf_of(token), clock)
    routes: list[BaseRoute] = [Mount("/static", StaticFiles(packages=[("posterbot.web", "static")]), name="static")]
    for page in (crawl, frontier, gallery, image, review, quality, duplicates, export):
        routes += page.routes(site)

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, PageError)
        return site.error(request, error)

    def unknown(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        said = {404: "There is no such page.", 405: "That cannot be done with this page."}
        answer = site.error(request, PageError(error.status_code, said.get(error.status_code, error.detail)))
        answer.headers.update(error.headers or {})
        return answer

    def unreadable(request: Request, error: Exception) -> Response:
        assert isinstance(error, SQLAlchemyError)
        return site.error(request, PageError(503, str(catalogue_error(engine, error))))

    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, site=site, token=token, hosts=hosts)],
        exception_handlers={PageError: refused, HTTPException: unknown, SQLAlchemyError: unreadable},
    )


def _reviewer() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
