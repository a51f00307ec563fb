"""May it be used? From what page, image and host have said to yes or no, and the signal that decided.

docs/consent.md has the table of what forbids what, and why.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scrapy.http import HtmlResponse

from posterbot.frontier.robots_txt import product_tokens
from posterbot.page.aipref import CATEGORIES, usage_signals
from posterbot.page.bounds import parse_html
from posterbot.page.consent import Kind, Signal, header_signals, meta_signals, moment_of
from posterbot.page.tdmrep import RESERVED, tdm_header_signals, tdm_meta_signals

if TYPE_CHECKING:
    import parsel
    from scrapy.http import Headers, Response
    from scrapy.settings import BaseSettings

logger = logging.getLogger(__name__)

OPT_OUTS = ("noai", "noimageai", "noml", "noindex", "noimageindex", "none", "tdm-reservation", "content-usage")
"""All that can be respected, and is by default."""

_USE = {"noai", "noimageai", "noml", "noimageindex", "none"}
"""Forbid the use of an image, said with it as with a page that shows it."""
_TDM = (Kind.TDM_META, Kind.TDM_HEADER, Kind.TDM_FILE)
"""Of one resource: what stands first supersedes the others (TDMRep, "Processing priority")."""


@dataclass(frozen=True, slots=True)
class Decision:
    """May it be used, and if not, by which signal."""

    allowed: bool
    signal: Signal | None = None


ALLOWED = Decision(True)


class OptOuts:
    """What is respected, by the settings ``OPT_OUTS`` and ``AIPREF``.

    Raises:
        ValueError: a setting has a value that is none; one line.
    """

    def __init__(self, settings: BaseSettings) -> None:
        self.respected = frozenset(name.strip().lower() for name in settings.getlist("OPT_OUTS", list(OPT_OUTS)))
        if unknown := sorted(self.respected - set(OPT_OUTS)):
            raise ValueError(f"OPT_OUTS: {unknown[0]!r} is none of {', '.join(OPT_OUTS)}")
        self.version: str = settings.get("AIPREF") or ""
        if self.version and self.version not in CATEGORIES:
            raise ValueError(f"AIPREF: {self.version!r} is none of the drafts {', '.join(CATEGORIES)}; empty: off")
        self.agents = product_tokens(settings.get("USER_AGENT") or "") | {"posterbot"}
        if ignored := [name for name in OPT_OUTS if name not in self.respected]:
            logger.warning("opt-outs that are NOT respected, by the setting OPT_OUTS: %s", ", ".join(ignored))

    def page_signals(
        self, response: Response, selector: parsel.Selector | None = None, file: Signal | None = None
    ) -> tuple[Signal, ...]:
        """What a page says of itself and what it shows.

        Args:
            response: of the page; its header fields are read.
            selector: of the parsed page. None: it is parsed here if it is HTML, which takes a while for large ones.
            file: what the tdmrep.json of its host says of it.
        """
        if selector is None and isinstance(response, HtmlResponse):
            selector = parse_html(response.text)
        said = list(self.image_signals(response.headers, response.url, file))
        if selector is not None:
            said += meta_signals(selector.root, self.agents, response.url)
            said += tdm_meta_signals(selector.root, response.url)
        return tuple(dict.fromkeys(said))

    def image_signals(self, headers: Headers, url: str, file: Signal | None = None) -> tuple[Signal, ...]:
        """What the response that brings an image says.

        Args:
            headers: of the response.
            url: its, after redirects.
            file: what the tdmrep.json of its host says of it.
        """
        said: list[Signal] = [] if file is None else [file]
        said += header_signals(_values(headers, "X-Robots-Tag"), self.agents, url)
        said += tdm_header_signals(_values(headers, "tdm-reservation"), _values(headers, "tdm-policy"), url)
        if self.version:
            said += usage_signals(_values(headers, "Content-Usage"), self.version, url)
        return tuple(dict.fromkeys(said))

    def decide(
        self, page: Sequence[Signal] = (), image: Sequence[Signal] = (), now: datetime | None = None
    ) -> Decision:
        """May the image be used that was found on a page?

        Args:
            page: what the page says; empty where the image is of a list.
            image: what the image's response, and its host's tdmrep.json, say; empty before it was asked for.
            now: aware; for ``unavailable_after``.
        """
        now = now or datetime.now(UTC)
        for forbids, said in ((self._of_image, image), (self._of_page, page)):
            if (signal := forbids(said, now) or self._of_rights(said)) is not None:
                return Decision(False, signal)
        return ALLOWED

    def follows(self, page: Sequence[Signal]) -> Decision:
        """May the links of a page be followed, those to image files among them? ``nofollow``, and so ``none``."""
        signal = _first(page, {"nofollow", "none"})
        return ALLOWED if signal is None else Decision(False, signal)

    def _of_image(self, said: Sequence[Signal], now: datetime) -> Signal | None:
        signal = _first(said, self.respected & (_USE | {"noindex"}))
        if signal is None and "noindex" in self.respected:
            return next((s for s in said if (moment := moment_of(s.directive)) and moment <= now), None)
        return signal

    def _of_page(self, said: Sequence[Signal], now: datetime) -> Signal | None:
        signal = _first(said, self.respected & _USE)
        if signal is None and "none" in self.respected and _first(said, {"nofollow"}):
            return _first(said, {"noindex"})  # the two together are what "none" is short for
        return signal

    def _of_rights(self, said: Sequence[Signal]) -> Signal | None:
        if "tdm-reservation" in self.respected:
            for kind in _TDM:
                if found := [signal for signal in said if signal.kind is kind]:
                    reserved = [signal for signal in found if signal.directive == RESERVED]
                    if reserved:
                        return reserved[0]
                    break
        if self.version and "content-usage" in self.respected:
            return next(
                (s for s in said if s.kind in {Kind.USAGE, Kind.USAGE_ROBOTS_TXT} and s.directive == "train-ai=n"), None
            )
        return None


def _first(said: Iterable[Signal], directives: set[str] | frozenset[str]) -> Signal | None:
    robots = (signal for signal in said if signal.kind in {Kind.HEADER, Kind.META})
    return next((signal for signal in robots if signal.directive in directives), None)


def _values(headers: Headers, name: str) -> list[str]:
    return [value.decode("latin-1") for value in headers.getlist(name)]
