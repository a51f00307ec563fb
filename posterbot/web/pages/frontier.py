"""The frontier: what a run has found for its requests, what its arms are worth, and why the next URLs are next."""

from __future__ import annotations

import math

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from posterbot.catalogue import live
from posterbot.frontier.arm_display import found_number, lead_words
from posterbot.frontier.course import ENOUGH, Course, course
from posterbot.frontier.explain import Explained, explain
from posterbot.web.remembered import Remembered
from posterbot.web.site import PageError, Site, run_in
from posterbot.web.words import sentence

ARMS, NEXT = 20, 20
WIDTH, HEIGHT = 860, 300
"""Of the chart, in its own units."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 82, 16, 34
_KEY = 28
"""Between two lines of the key."""


class Pages:
    """The handler, and what it remembers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._courses: Remembered[Course] = Remembered(lambda run: course(site.engine, run))
        self._explained: Remembered[Explained] = Remembered(
            lambda run: explain(site.engine, run, limit=ARMS, number=NEXT)
        )

    def page(self, request: Request) -> Response:
        """``/frontier?run=N``: of the newest run, or that one."""
        runs = live.run_names(self._site.engine)
        run = run_in(request) or (runs[0].number if runs else None)
        if run is None:
            return self._site.page(request, "frontier.html", run=None)
        try:
            told, explained = self._courses.of(run), self._explained.of(run)
        except LookupError as error:
            raise PageError(404, sentence(error)) from None
        return self._site.page(
            request,
            "frontier.html",
            run=run,
            runs=runs,
            course=told,
            chart=chart(told),
            explained=explained,
            enough=ENOUGH,
            found_number=found_number,
            lead_words=lead_words,
        )


def routes(site: Site) -> list[Route]:
    """Of this page."""
    return [Route("/frontier", Pages(site).page)]


def chart(told: Course) -> Markup:
    """An SVG of pictures found against requests, beside the estimate of breadth first; both from 0."""
    wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    most_x = max(told.requests, 1)
    most_y = max(told.found, told.instead or 0.0, 1.0)

    def x(requests: float) -> float:
        return _LEFT + wide * requests / most_x

    def y(found: float) -> float:
        return _TOP + high * (1 - found / most_y)

    parts = []
    for line in ticks(most_y):
        parts.append(Markup('<path class="grid" d="M{} {:.1f}H{}"/>').format(_LEFT, y(line), WIDTH - _RIGHT))
        parts.append(
            Markup('<text x="{}" y="{:.1f}" text-anchor="end">{:,g}</text>').format(_LEFT - 8, y(line) + 4, line)
        )
    for line in ticks(most_x)[1:]:
        parts.append(
            Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{:,.0f}</text>').format(x(line), HEIGHT - 14, line)
        )
    curves = [("found", "— found", told.curve)]
    if told.breadth_first:
        curves.append(("instead", "– – breadth first, estimated", told.breadth_first))
    heights = _apart([y(curve[-1][1]) for _, _, curve in curves])
    for line, ((kind, name, curve), height) in reversed(list(enumerate(zip(curves, heights, strict=True)))):
        points = "L".join(f"{x(requests):.1f} {y(found):.1f}" for requests, found in curve)
        text = Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>')
        parts.append(Markup('<path class="curve {}" d="M{}"/>').format(kind, points))
        parts.append(text.format(kind, x(curve[-1][0]) + 8, height + 4, f"{curve[-1][1]:,.0f}"))
        parts.append(text.format(kind, _LEFT + 12, _TOP + 20 + _KEY * line, name))
    label = f"{told.found:,.0f} pictures found with {told.requests:,} requests"
    if told.instead is not None:
        label += f"; breadth first about {told.instead:,.0f}"
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, label, Markup("").join(parts)
    )


def ticks(most: float) -> list[float]:
    """Round numbers from 0 to ``most``, which is above 0; three to six of them."""
    unit = 10.0 ** math.floor(math.log10(most / 5))
    step = next(unit * by for by in (1, 2, 5, 10) if most / (unit * by) <= 5)
    return [place * step for place in range(int(most / step) + 1)]


def _apart(heights: list[float]) -> list[float]:
    """Where two texts may stand that should stand at ``heights``."""
    if len(heights) < 2 or abs(heights[0] - heights[1]) >= 18:
        return heights
    up = -9 if heights[0] <= heights[1] else 9
    middle = sum(heights) / 2
    return [middle + up, middle - up]
