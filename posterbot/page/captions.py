"""What is written near an image: the caption of the figure around it, else the heading around or before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from posterbot.page.candidates import Offer
from posterbot.page.images import clean

MAX_CAPTION = 200
MAX_FIGURES = 8
"""How far outwards a ``figcaption`` is looked for."""

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})

# A heading inside one of these says nothing of what comes after it: the next card has its own.
SECTIONS = frozenset({"article", "aside", "section", "li", "td", "nav", "footer", "dialog"})


@dataclass(slots=True)
class _Caption:
    """A heading or a figure, whose text is known only once it has been left."""

    text: str = ""
    around: _Caption | None = None


class Captions:
    """The texts of a page as its elements open and close, and which of them belong to which offer."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._heading: _Caption | None = None
        self._figure: _Caption | None = None
        self._waiting: list[tuple[Offer, _Caption | None, _Caption | None]] = []

    def add_text(self, text: str) -> None:
        """The next piece of text of the page."""
        self._texts.append(text)

    def text_from_here(self, limit: int = MAX_CAPTION) -> Callable[[], str]:
        """A function that gives the text between now and its call: the text of an element, called as it is left."""
        start = len(self._texts)
        # A bounded number of pieces, so that headings nested by the thousand cost no more than one.
        return lambda: clean("".join(piece[: 4 * limit] for piece in self._texts[start : start + 50]), limit)

    def open(self, tag: str) -> Callable[[], None] | None:
        """Enter an element that gives captions; the result is to be called as it is left."""
        if tag in HEADINGS:
            self._heading = heading = _Caption()
            return self._fill(heading)
        if tag == "figure":
            self._figure = _Caption(around=self._figure)
            return self._leave_figure
        if tag == "figcaption" and self._figure and not self._figure.text:
            return self._fill(self._figure)
        if tag in SECTIONS:
            outer = self._heading
            return lambda: self._restore(outer)
        return None

    def expect(self, offer: Offer) -> None:
        """Note that ``offer`` stands here; its caption may be yet to come."""
        self._waiting.append((offer, self._figure, self._heading))

    def settle(self) -> None:
        """Give every offer its caption, at the end of the page."""
        for offer, figure, heading in self._waiting:
            offer.caption = _nearest(figure) or (heading.text if heading else "")

    def _fill(self, caption: _Caption) -> Callable[[], None]:
        text = self.text_from_here()

        def leave() -> None:
            caption.text = caption.text or text()

        return leave

    def _leave_figure(self) -> None:
        self._figure = self._figure.around if self._figure else None

    def _restore(self, heading: _Caption | None) -> None:
        self._heading = heading


def _nearest(figure: _Caption | None) -> str:
    for _ in range(MAX_FIGURES):
        if figure is None or figure.text:
            break
        figure = figure.around
    return figure.text if figure else ""
