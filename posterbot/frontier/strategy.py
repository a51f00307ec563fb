"""What is fetched next of one host, and which host first: what a strategy decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Connection

from posterbot.catalogue.rows import Row
from posterbot.frontier.records import Link

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

BREADTH_FIRST, YIELD = "breadth_first", "yield"
ARMLESS = 0
"""Arm of URLs that are of none."""


def strategy_of(settings: BaseSettings) -> str:
    """``FRONTIER_STRATEGY``.

    Raises:
        ValueError: one line on what is wrong with it, or with ``STOP_WHEN_YIELD_BELOW``.
    """
    name = str(settings["FRONTIER_STRATEGY"])
    if name not in {BREADTH_FIRST, YIELD}:
        raise ValueError(f"FRONTIER_STRATEGY must be {BREADTH_FIRST} or {YIELD}, not {name!r}")
    try:
        least = float(settings["STOP_WHEN_YIELD_BELOW"])
    except (TypeError, ValueError):
        least = -1.0
    if not 0 <= least < 1:
        given = settings["STOP_WHEN_YIELD_BELOW"]
        raise ValueError(f"STOP_WHEN_YIELD_BELOW must be a number from 0 (never) to below 1, not {given!r}")
    return name


@dataclass(frozen=True, slots=True)
class New:
    """A link that is about to become a row."""

    link: Link
    host: int
    pattern: int
    number: int
    """How many URLs of its host came before it in this run."""


@dataclass(slots=True)
class Mine:
    """What is remembered of a URL on lease."""

    host: int
    pattern: int | None
    arm: int = ARMLESS
    features: bytes | None = None
    parent: int | None = None
    """Key of the page on which it was found."""
    earlier: int | None = None
    """Key of the same URL in an earlier run."""
    told: bytes = b""
    """All that was known of it when it was leased, see ``promise.py``."""
    new_links: int = 0
    """Found on it, and of another pattern than its own."""


@dataclass(frozen=True, slots=True)
class Pull:
    """A page was asked for: what it brought, and what it took."""

    mine: Mine
    reward: float
    cost: float


class Taken(NamedTuple):
    """A row that was leased, and what it is expected to bring for each request."""

    row: Any
    worth: float
    told: bytes = b""
    """All that was known of it when it was chosen, as features."""


class Strategy(Protocol):
    """One worker's. Belongs to the thread that writes; every call is within a transaction."""

    def join(self, connection: Connection) -> None:
        """The worker begins; the run may have been begun by another strategy."""

    def forget(self) -> None:
        """A transaction was undone: trust nothing in memory."""

    def host_order(self) -> tuple[ColumnElement[Any], ...]:
        """Hosts with pending URLs, the next one first."""

    def place(
        self, connection: Connection, new: Sequence[New], mine: Callable[[int | None], Mine | None]
    ) -> tuple[list[Row], Mapping[int, float]]:
        """Columns of the rows of ``new`` links (``arm_id``, ``rank``, ``features``), and what hosts are worth at least.

        ``mine`` gives what is remembered of the page on which a link stands.
        """

    def lease(
        self, connection: Connection, wanted: Mapping[int, int], under_way: Mapping[int, int], now: float
    ) -> list[Taken]:
        """Lease URLs of hosts that are on lease, host → how many at most; of each host the first to fetch first.

        ``under_way``: arm → URLs that this worker has on lease.
        """

    def worth(self, host: int) -> float:
        """What ``host``, of which URLs were just leased, is worth now."""

    def pulled(self, connection: Connection, pulls: Sequence[Pull]) -> None:
        """Learn from what came of URLs that were leased."""
