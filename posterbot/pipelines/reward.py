"""What a page has cost and brought, noted on its ticket: by this the frontier learns where to go next."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from posterbot.catalogue.new_films import Stated, new_films, stated
from posterbot.catalogue.new_pictures import new_pictures
from posterbot.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy.http import Response

    from posterbot.catalogue.recorder import Recorder
    from posterbot.catalogue.records import Image
    from posterbot.frontier.ticket import Ticket
    from posterbot.items import PageItem

REMEMBERED = 10_000
"""Pictures and films that were counted last: more than can be counted and not yet be in the catalogue."""
_OF_ONE_NAME = 20
_NOT_SENT = {
    Reason.BAD_URL,
    Reason.NO_CONTACT,
    Reason.FORGOTTEN,
    Reason.OPTED_OUT,
    Reason.ROBOTS_TXT,
    Reason.ROBOTS_UNREACHABLE,
    Reason.HOST_CLOSED,
    Reason.HOST_FAILING,
    Reason.HOST_BUDGET,
    Reason.STOPPED,
    Reason.PRIVATE_ADDRESS,
}


def note_answer(ticket: Ticket | None, response: Response) -> None:
    """A request for an image of a page was answered, perhaps by way of others."""
    if ticket is not None:
        ticket.requests += 1 + int(response.meta.get("redirect_times", 0))
        ticket.size += len(response.body)


def note_failure(ticket: Ticket | None, reason: Reason) -> None:
    """A request for an image of a page got no answer; it counts where it was sent at all."""
    if ticket is not None and reason not in _NOT_SENT:
        ticket.requests += 1


class Reward:
    """Counts what pages bring that nobody had. Belongs to the event loop.

    Args:
        recorder: of the catalogue that may have it already.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        # What pages in flight have brought is not in the catalogue yet.
        self._pictures: OrderedDict[str, None] = OrderedDict()
        self._films: OrderedDict[str, list[Stated]] = OrderedDict()

    async def count(self, item: PageItem, kept: Sequence[Image]) -> None:
        """Note on the ticket of ``item`` how many of these pictures are new and no copies, and films that had none.

        To be called before the page is committed, with what was looked at for it and for no other page.
        """
        ticket = item.ticket
        pictures = [(image.sha256, image.phash) for image in kept if not self._counted(image.sha256, image.phash)]
        if ticket is None or not pictures:
            return
        films = [film for film in stated(item.page, item.claim) if not self._had(film)]
        # Asked at once, so that they come into one transaction.
        of_pictures = self._recorder.call(new_pictures, tuple(pictures))
        of_films = self._recorder.call(new_films, (tuple(films), len(pictures))) if films else None
        # Others may count the same meanwhile.
        new = [each for each in await asyncio.wrap_future(of_pictures) if not self._counted(*each)]
        for sha256, phash in new:
            self._pictures[sha256] = self._pictures[phash or sha256] = None
        ticket.kept += len(new)
        if of_films is not None and new:
            first = [film for film in await asyncio.wrap_future(of_films) if not self._had(film)][: len(new)]
            for film in first:
                self._films.setdefault(film.key, []).append(film)
                del self._films[film.key][:-_OF_ONE_NAME]
            ticket.films += len(first)
        self._forget()

    def _counted(self, sha256: str, phash: str | None) -> bool:
        return sha256 in self._pictures or (phash is not None and phash in self._pictures)

    def _had(self, film: Stated) -> bool:
        return any(film.same(other) for other in self._films.get(film.key, ()))

    def _forget(self) -> None:
        for remembered in (self._pictures, self._films):
            while len(remembered) > REMEMBERED:
                remembered.popitem(last=False)
