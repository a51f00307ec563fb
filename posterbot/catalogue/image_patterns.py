"""Shapes of image addresses in SQL: what all workers of all runs have looked at, and how much of it was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue.schema import image_patterns, sources

MOST = 300
"""Shapes of one host that are read, the most looked at first."""

Looked = tuple[int, int]
"""How many were looked at, and how many of those were kept."""
Key = tuple[str, str, str]
"""Host, rule, shape. A rule is all on which it depends what is kept: labels, threshold, smallest size, model."""


def read_patterns(connection: Connection, calls: Sequence[tuple[str, str]]) -> list[Mapping[str, Looked]]:
    """For each (host, rule) its shapes; nothing where there are none."""
    found: dict[tuple[str, str], dict[str, Looked]] = {call: {} for call in calls}
    columns = image_patterns.c
    for host, rule in found:
        statement = (
            select(columns.pattern, columns.seen, columns.kept)
            .join(sources, sources.c.id == columns.source_id)
            .where(sources.c.name == host, columns.wanted == rule)
            .order_by(columns.seen.desc(), columns.id)
            .limit(MOST)
        )
        found[host, rule] = {pattern: (seen, kept) for pattern, seen, kept in connection.execute(statement)}
    return [found[call] for call in calls]


def count_patterns(connection: Connection, calls: Sequence[Mapping[Key, Looked]]) -> list[dict[Key, Looked]]:
    """Add what was looked at, and answer what each of these shapes has come to."""
    more: dict[str, Counter[Key]] = {"seen": Counter(), "kept": Counter()}
    for call in calls:
        for key, looked in call.items():
            for name, number in zip(more, looked, strict=True):
                more[name][key] += number
    # Sorted, so that workers which count the same shapes do not wait for each other in a circle.
    keys = sorted(more["seen"])
    if not keys:
        return [{} for _ in calls]
    numbers = _numbers(connection, sorted({host for host, _, _ in keys}))
    hosts = {number: host for host, number in numbers.items()}
    statement = _insert(connection, image_patterns)
    columns = image_patterns.c
    counted = statement.on_conflict_do_update(
        index_elements=["source_id", "wanted", "pattern"],
        set_={name: columns[name] + statement.excluded[name] for name in more},
    )
    rows = [
        {"source_id": numbers[host], "wanted": rule, "pattern": shape}
        | {name: counts[host, rule, shape] for name, counts in more.items()}
        for host, rule, shape in keys
    ]
    connection.execute(counted, rows)
    # Each host with each shape: some of these pairs may be other rows.
    found = connection.execute(
        select(columns.source_id, columns.wanted, columns.pattern, columns.seen, columns.kept).where(
            columns.source_id.in_(sorted(hosts)),
            columns.wanted.in_(sorted({rule for _, rule, _ in keys})),
            columns.pattern.in_(sorted({shape for _, _, shape in keys})),
        )
    )
    totals = {(hosts[source], rule, shape): (seen, kept) for source, rule, shape, seen, kept in found}
    return [{key: totals[key] for key in call} for call in calls]


def _numbers(connection: Connection, hosts: Sequence[str]) -> dict[str, int]:
    """Numbers of the rows of ``hosts``, which are made where there are none."""
    connection.execute(
        _insert(connection, sources).on_conflict_do_nothing(index_elements=["name"]), [{"name": host} for host in hosts]
    )
    found = connection.execute(select(sources.c.name, sources.c.id).where(sources.c.name.in_(hosts)))
    return {name: number for name, number in found}  # noqa: C416


def _insert(connection: Connection, table: Table) -> sqlite.Insert:
    """Both dialects write "on conflict" alike; their classes share no base that says so."""
    insert = cast(
        "Callable[[Table], sqlite.Insert]",
        postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert,
    )
    return insert(table)
