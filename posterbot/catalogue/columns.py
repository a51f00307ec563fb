"""What the tables are made of: types that are the same on both databases, and names that follow one rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Column, DateTime, Dialect, ForeignKey, Integer, LargeBinary, MetaData, TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in UTC, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database, always UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite forgets the zone; it was UTC."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class Float32Vector(TypeDecorator[np.ndarray]):
    """A float32 array of any length as its little-endian bytes: 4 bytes a label, exact."""

    impl = LargeBinary
    cache_ok = True
    number = "<f4"

    def process_bind_param(self, value: np.ndarray | None, dialect: Dialect) -> bytes | None:
        """To the database."""
        return None if value is None else np.asarray(value, self.number).tobytes()

    def process_result_value(self, value: Any, dialect: Dialect) -> np.ndarray | None:
        """From the database."""
        return None if value is None else np.frombuffer(value, self.number)


class Float16Vector(Float32Vector):
    """A float16 array of any length as its little-endian bytes."""

    cache_ok = True
    number = "<f2"


def id_column() -> Column[int]:
    """A table's own number."""
    return Column("id", Integer, primary_key=True)


def to(table: str, *, nullable: bool = False) -> Column[int]:
    """Number of a row of ``table``."""
    return Column(f"{table.removesuffix('s')}_id", ForeignKey(f"{table}.id"), nullable=nullable)


def key_of(table: str) -> Column[int]:
    """The same, as part of the primary key."""
    return Column(f"{table.removesuffix('s')}_id", ForeignKey(f"{table}.id"), primary_key=True)
