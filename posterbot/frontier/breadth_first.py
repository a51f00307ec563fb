"""The plainest strategy: what was found first is fetched first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, update

from posterbot.catalogue.rows import Row
from posterbot.catalogue.schema import frontier, queues
from posterbot.frontier.leasing import lease_urls
from posterbot.frontier.states import PENDING
from posterbot.frontier.strategy import ARMLESS, Mine, New, Pull, Taken


class BreadthFirst:
    """What was found first, on each host; of hosts the one that was served longest ago."""

    def __init__(self, run: int, worker: int) -> None:
        self._run, self._worker = run, worker

    def join(self, connection: Connection) -> None:
        """What waits by yield waits by depth from now on."""
        of_arms = (frontier.c.run_id == self._run) & (frontier.c.state == PENDING) & (frontier.c.arm_id != ARMLESS)
        connection.execute(update(frontier).where(of_arms).values(arm_id=ARMLESS, rank=frontier.c.depth))

    def forget(self) -> None:
        """Nothing is remembered."""

    def host_order(self) -> tuple[ColumnElement[Any], ...]:
        """Served longest ago."""
        return (queues.c.served_at,)

    def place(
        self, connection: Connection, new: Sequence[New], mine: Callable[[int | None], Mine | None]
    ) -> tuple[list[Row], Mapping[int, float]]:
        """By priority, which is less with each step from a start page."""
        return [{"arm_id": ARMLESS, "rank": -one.link.priority, "features": None} for one in new], {}

    def lease(
        self, connection: Connection, wanted: Mapping[int, int], under_way: Mapping[int, int], now: float
    ) -> list[Taken]:
        """Those first that are first in rank."""
        rows = lease_urls(
            connection, self._run, self._worker, {(host, ARMLESS): number for host, number in wanted.items()}
        )
        return [Taken(row, 0.0) for row in sorted(rows, key=lambda row: (row.rank, row.id))]

    def worth(self, host: int) -> float:
        """All the same."""
        return 0.0

    def pulled(self, connection: Connection, pulls: Sequence[Pull]) -> None:
        """Nothing is learned."""
