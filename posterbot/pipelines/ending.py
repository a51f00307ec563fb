"""The end of a page: committed with all its outcomes, or back into the frontier."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from scrapy.exceptions import DropItem

from posterbot.catalogue.database import CatalogueError
from posterbot.frontier.host import backoff
from posterbot.reasons import PASSING, Reason

if TYPE_CHECKING:
    from posterbot.catalogue.records import Outcome
    from posterbot.catalogue.writer import Record
    from posterbot.frontier.session import Session
    from posterbot.items import PageItem

HOPELESS = 3
"""A host whose circuit breaker has opened so often in a row is given up."""


class Ending:
    """What becomes of pages whose images have all been seen to.

    Args:
        session: of the crawl.
        retries: a page that failed in a way that may pass is fetched again so many times,
        retry_backoff: after so many seconds, then twice as many, and so on.
    """

    def __init__(self, session: Session, retries: int, retry_backoff: float) -> None:
        self.session, self.retries, self.retry_backoff = session, retries, retry_backoff

    def comes_again(self, item: PageItem) -> bool:
        """Has the page failed in a way that may pass? Then it goes back into the frontier."""
        ticket, reason = item.ticket, item.page.reason
        if ticket is None or reason is None:
            return False
        if reason == Reason.STOPPED:  # stays on lease until the end, and is pending then
            return True
        if reason in {Reason.HOST_CLOSED, Reason.HOST_BUDGET}:
            self.session.release(ticket)
            return True
        if reason == Reason.HOST_FAILING:
            if self.session.hosts.openings(ticket.host) < HOPELESS:
                self.session.release(ticket)
                return True
            self.session.give_up(ticket.host, reason)
        if reason in PASSING and ticket.tries < self.retries:
            self.session.stats.inc_value(f"posterbot/retries/{reason}")
            self.session.fail(ticket, reason, backoff(ticket.tries + 1, self.retry_backoff))
            return True
        return False

    async def commit(self, item: PageItem, outcomes: list[Outcome]) -> None:
        """Commit the page, its outcomes and the end of its lease as one.

        Raises:
            DropItem: that was not possible; the crawl ends.
        """
        records: list[Record] = [item.page, *outcomes]
        ticket = item.ticket
        if ticket is not None:
            ticket.items -= 1
        try:
            if ticket is None or ticket.items > 0:
                future = self.session.recorder.together(records)
            elif item.page.reason is not None:
                future = self.session.fail(ticket, item.page.reason, None, records)
            else:
                future = self.session.finish(ticket, records)
            await asyncio.wrap_future(future)
        except CatalogueError as error:
            self.session.lost(error)
            raise DropItem(str(error), log_level="DEBUG") from None
