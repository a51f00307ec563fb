"""The states as they must stand in SQL text: a partial index serves only those queries that spell its condition out."""

from __future__ import annotations

from sqlalchemy import literal

from posterbot.frontier.records import State

PENDING = literal(int(State.PENDING), literal_execute=True)
LEASED = literal(int(State.LEASED), literal_execute=True)
FAILED = literal(int(State.FAILED), literal_execute=True)
