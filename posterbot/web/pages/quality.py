"""How good the filter is, by what people said: now, by host, and day by day."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from posterbot.review.drift import drift
from posterbot.review.estimate import Quality
from posterbot.review.intervals import Interval
from posterbot.review.quality import quality
from posterbot.web.site import Site

ENOUGH = 30
"""Audits of each kind, from which on the figures are worth reading."""
HOSTS, DAYS = 25, 60
WIDTH, HEIGHT = 640, 200
"""Of a chart, in its own units."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 12, 14, 30


@dataclass(frozen=True, slots=True)
class Chart:
    """One share over the days."""

    name: str
    svg: Markup


class Pages:
    """The handler."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def page(self, request: Request) -> Response:
        """``/quality``."""
        engine = self._site.engine
        now = quality(engine)[0]
        begun = now.audits_kept + now.audits_dropped > 0
        days = quality(engine, by="day")[-DAYS:] if begun else []
        charts = [
            Chart("Precision", chart("Precision", [(one.of, one.precision, one.precision_interval) for one in days])),
            Chart("Recall", chart("Recall", [(one.of, one.recall, one.recall_interval) for one in days])),
        ]
        hosts = quality(engine, by="host") if begun else []
        audited = [one for one in hosts if one.audits_kept + one.audits_dropped]
        return self._site.page(
            request,
            "quality.html",
            now=now,
            begun=begun,
            missing=missing(now),
            charts=charts,
            days=len(days),
            hosts=audited[:HOSTS],
            hosts_left=len(hosts) - len(audited[:HOSTS]),
            alarms=drift(engine) if begun else [],
            enough=ENOUGH,
        )


def routes(site: Site) -> list[Route]:
    """Of this page."""
    return [Route("/quality", Pages(site).page)]


def missing(now: Quality) -> tuple[int, int]:
    """How many audits of kept and of dropped images are needed before the figures say much."""
    return (
        max(0, min(ENOUGH, now.kept) - now.audits_kept),
        max(0, min(ENOUGH, now.dropped) - now.audits_dropped),
    )


def chart(name: str, points: list[tuple[str, float | None, Interval]]) -> Markup:
    """An SVG of shares by day: a dot for each, a line for its interval; days without an answer stay empty.

    Args:
        name: what it shows, for those who cannot see it.
        points: day, share, 95 % interval.
    """
    wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    step = wide / max(1, len(points))

    def y(share: float) -> str:
        return f"{_TOP + high * (1 - share):.1f}"

    parts = []
    for line in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(Markup('<path class="grid" d="M{} {}H{}"/>').format(_LEFT, y(line), WIDTH - _RIGHT))
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="end">{} %</text>').format(
                _LEFT - 7, float(y(line)) + 4, round(100 * line)
            )
        )
    known = []
    for place, (day, share, (low, high_share)) in enumerate(points):
        if share is None:
            continue
        x = f"{_LEFT + step * (place + 0.5):.1f}"
        known.append(f"{day}: {100 * share:.0f} %")
        parts.append(
            Markup(
                '<g><title>{}: {:.0f} % ({:.0f}–{:.0f} %)</title><path class="interval" d="M{} {}V{}"/>'
                '<circle cx="{}" cy="{}" r="4"/></g>'
            ).format(day, 100 * share, 100 * low, 100 * high_share, x, y(low), y(high_share), x, y(share))
        )
    for place in sorted({0, len(points) - 1}) if points else []:
        last = place and place == len(points) - 1
        edge = WIDTH - _RIGHT if last else _LEFT
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
                edge, HEIGHT - 6, "end" if last else "start", points[place][0]
            )
        )
    label = f"{name} by day: {', '.join(known) or 'nothing is known yet'}"
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, label, Markup("").join(parts)
    )
