"""The largest clusters of what was seen more than once."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from posterbot.duplicates.overview import largest, totals
from posterbot.web.site import PageError, Site

KINDS = ("copy", "variant")
CLUSTERS, MEMBERS = 20, 12


class Pages:
    """The handler."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def page(self, request: Request) -> Response:
        """``/duplicates?kind=copy|variant``."""
        kind = request.query_params.get("kind") or KINDS[0]
        if kind not in KINDS:
            raise PageError(400, f"There are clusters of kind {' and '.join(KINDS)}.")
        return self._site.page(
            request,
            "duplicates.html",
            kind=kind,
            totals=totals(self._site.engine),
            clusters=largest(self._site.engine, kind, CLUSTERS),
            members=MEMBERS,
        )


def routes(site: Site) -> list[Route]:
    """Of this page."""
    return [Route("/duplicates", Pages(site).page)]
