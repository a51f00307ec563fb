"""Links into the frontier: each URL once per crawl, none of a closed pattern, and no host without end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, cast

from sqlalchemy import BindParameter, Connection, Table, and_, bindparam, case, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue.rows import Row, clean
from posterbot.catalogue.schema import frontier, hosts, patterns, queues
from posterbot.catalogue.writer import Numbers
from posterbot.frontier.records import Link, State
from posterbot.frontier.strategy import Mine, New, Strategy

AT_ONCE = 500
"""Values in one ``IN``: databases have limits."""
DEEPEST = 32_767
"""Depths are stored in 16 bits."""
REMEMBERED = 10_000
"""Row numbers of hosts and patterns kept in memory."""


class Adding:
    """Adds links for one run. Belongs to the thread that writes."""

    def __init__(self, dialect: str, run: int, urls_per_host: int, strategy: Strategy) -> None:
        self._run, self._urls_per_host, self._strategy = run, urls_per_host, strategy
        self._hosts: Numbers[str] = Numbers(REMEMBERED)
        self._patterns: Numbers[tuple[int, str]] = Numbers(REMEMBERED)
        insert = cast(
            "Callable[[Table], sqlite.Insert]", postgresql.insert if dialect == "postgresql" else sqlite.insert
        )
        self._host = insert(hosts).on_conflict_do_nothing(index_elements=["name"])
        self._queue = insert(queues).on_conflict_do_nothing(index_elements=["run_id", "host_id"])
        self._pattern = insert(patterns).on_conflict_do_nothing(index_elements=["run_id", "host_id", "pattern"])
        self._link = insert(frontier).on_conflict_do_nothing(index_elements=["run_id", "fingerprint"])
        self._link_sql: Any = None
        keys: BindParameter[Any] = bindparam("keys", expanding=True)
        self._find_hosts = select(hosts.c.name, hosts.c.id).where(hosts.c.name.in_(keys))
        self._find_patterns = select(patterns.c.host_id, patterns.c.pattern, patterns.c.id).where(
            patterns.c.run_id == run, tuple_(patterns.c.host_id, patterns.c.pattern).in_(keys)
        )
        self._find_closed = select(patterns.c.id).where(patterns.c.id.in_(keys), patterns.c.closed.is_not(None))
        self._find_links = select(frontier.c.fingerprint).where(
            frontier.c.run_id == run, frontier.c.fingerprint.in_(keys)
        )
        self._find_added = select(queues.c.host_id, queues.c.added).where(
            queues.c.run_id == run, queues.c.host_id.in_(keys)
        )
        of_host = and_(queues.c.run_id == run, queues.c.host_id == bindparam("host"))
        self._count = (
            update(queues)
            .where(of_host)
            .values(
                waiting=queues.c.waiting + bindparam("new"),
                added=queues.c.added + bindparam("new"),
                refused=queues.c.refused + bindparam("over"),
                worth=case((queues.c.worth < bindparam("hope"), bindparam("hope")), else_=queues.c.worth),
            )
        )
        self._refuse = (
            update(patterns)
            .where(patterns.c.id == bindparam("number"))
            .values(refused=patterns.c.refused + bindparam("over"))
        )

    def forget(self) -> None:
        """Trust nothing in memory; needed when a transaction was rolled back."""
        self._hosts.clear()
        self._patterns.clear()

    def add(
        self, connection: Connection, links: Iterable[Link], mine: Callable[[int | None], Mine | None]
    ) -> list[New]:
        """Add those of ``links`` that are new to the run, and give them; ``mine`` knows the pages they stand on."""
        new = self._unknown(connection, links)
        if not new:
            return []
        host_ids = self.host_ids(connection, {link.host for link in new.values()})
        pattern_ids = self._pattern_ids(connection, {(host_ids[link.host], link.pattern) for link in new.values()})
        closed = set(_ask(connection, self._find_closed, sorted(set(pattern_ids.values()))))
        added = {row.host_id: row.added for row in _rows(connection, self._find_added, sorted(set(host_ids.values())))}
        taken: list[New] = []
        counts: Counter[int] = Counter()
        over: Counter[int] = Counter()
        refused: Counter[int] = Counter()
        for link in new.values():
            host = host_ids[link.host]
            pattern = pattern_ids[host, link.pattern]
            if pattern in closed:
                refused[pattern] += 1
            elif added.get(host, 0) + counts[host] >= self._urls_per_host:
                over[host] += 1
            else:
                taken.append(New(link, host, pattern, added.get(host, 0) + counts[host]))
                counts[host] += 1
        hopes: Mapping[int, float] = {}
        if taken:
            placed, hopes = self._strategy.place(connection, taken, mine)
            rows = [self._row(new) | columns for new, columns in zip(taken, placed, strict=True)]
            if connection.dialect.name == "postgresql":  # two workers that add the same URLs must not deadlock
                rows.sort(key=lambda row: bytes(row["fingerprint"]))
            self._insert(connection, rows)
        touched = sorted(counts.keys() | over.keys())
        if touched:
            # Of two workers that add the same URL at once one counts it too many: leasing finds out and mends it.
            connection.execute(self._queue, [{"run_id": self._run, "host_id": host} for host in touched])
            connection.execute(
                self._count,
                [
                    {"host": host, "new": counts[host], "over": over[host], "hope": hopes.get(host, 0.0)}
                    for host in touched
                ],
            )
        if refused:
            connection.execute(self._refuse, [{"number": key, "over": refused[key]} for key in sorted(refused)])
        return taken

    def _row(self, new: New) -> Row:
        link = new.link
        return {
            "run_id": self._run,
            "host_id": new.host,
            "pattern_id": new.pattern,
            "parent_id": link.parent,
            "fingerprint": link.fingerprint,
            "url": clean(link.url),
            "request": clean(link.request),
            "state": int(State.PENDING),
            "number": new.number,
            "depth": min(link.depth, DEEPEST),
        }

    def _insert(self, connection: Connection, rows: list[Row]) -> None:
        """By the driver itself: all values are as it wants them, and SQLAlchemy's way with each costs as much again."""
        if self._link_sql is None:
            self._link_sql = self._link.compile(dialect=connection.dialect, column_keys=list(rows[0]))
        order = self._link_sql.positiontup
        values = [tuple(row[name] for name in order) for row in rows] if order else rows
        connection.exec_driver_sql(str(self._link_sql), values)

    def host_ids(self, connection: Connection, names: set[str]) -> dict[str, int]:
        """Row numbers of hosts, which are made where there are none."""
        found = self._hosts.known(names)
        if missing := sorted(names - found.keys()):
            connection.execute(self._host, [{"name": name} for name in missing])
            found |= {row.name: row.id for row in _rows(connection, self._find_hosts, missing)}
            self._hosts.remember(found)
        return found

    def _pattern_ids(self, connection: Connection, wanted: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
        found = self._patterns.known(wanted)
        if missing := sorted(wanted - found.keys()):
            rows = [{"run_id": self._run, "host_id": host, "pattern": pattern} for host, pattern in missing]
            connection.execute(self._pattern, rows)
            found |= {(row.host_id, row.pattern): row.id for row in _rows(connection, self._find_patterns, missing)}
            self._patterns.remember(found)
        return found

    def _unknown(self, connection: Connection, links: Iterable[Link]) -> dict[bytes, Link]:
        first: dict[bytes, Link] = {}
        for link in links:
            first.setdefault(link.fingerprint, link)
        for known in _ask(connection, self._find_links, list(first)):
            del first[bytes(known)]
        return first


def in_pieces(keys: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """``keys`` in lists that fit into one statement."""
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))


def _rows(connection: Connection, statement: Any, keys: Sequence[Any]) -> Iterable[Any]:
    return chain.from_iterable(connection.execute(statement, {"keys": piece}) for piece in in_pieces(keys))


def _ask(connection: Connection, statement: Any, keys: Sequence[Any]) -> Iterable[Any]:
    return (row[0] for row in _rows(connection, statement, keys))
