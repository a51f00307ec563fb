"""The rows of a crawl's catalogue, by plain SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def rows(folder: Path, table: str, where: str = "1") -> list[sqlite3.Row]:
    """Rows of ``table`` in the catalogue that a crawl keeps in ``folder``, by number."""
    with closing(sqlite3.connect(folder / "catalogue.db")) as connection:
        connection.row_factory = sqlite3.Row
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            return []  # the crawl has only begun
        return connection.execute(f"SELECT * FROM {table} WHERE {where} ORDER BY rowid").fetchall()
