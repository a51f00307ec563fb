"""Films and what is like what; what pages state of films is now called by that name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_films"
down_revision = "0006_gates"
branch_labels = None
depends_on = None

_STATED = ("id", "page_id", "kind", "name", "year", "genres", "directors", "same_as")


def upgrade() -> None:
    """Rename ``films`` by copying it: SQLite cannot rename constraints."""
    op.create_table(
        "film_statements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("genres", sa.JSON(), nullable=False),
        sa.Column("directors", sa.JSON(), nullable=False),
        sa.Column("same_as", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name="fk_film_statements_page_id_pages"),
        sa.PrimaryKeyConstraint("id", name="pk_film_statements"),
    )
    columns = ", ".join(_STATED)
    op.execute(sa.text(f"INSERT INTO film_statements ({columns}) SELECT {columns} FROM films"))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            sa.text(
                "SELECT setval(pg_get_serial_sequence('film_statements', 'id'),"
                " (SELECT coalesce(max(id), 0) + 1 FROM film_statements), false)"
            )
        )
    op.drop_table("films")
    op.create_index("ix_film_statements_page_id", "film_statements", ["page_id"])
    op.create_table(
        "films",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("genres", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_films"),
    )
    op.create_table(
        "film_ids",
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        _number("film_id"),
        sa.Column("evidence", sa.String(), nullable=False),
        _foreign_key("film_ids", "film_id", "films"),
        sa.PrimaryKeyConstraint("scheme", "value", name="pk_film_ids"),
        sqlite_with_rowid=False,
    )
    op.create_index("uq_film_ids_film_id_scheme", "film_ids", ["film_id", "scheme"], unique=True)
    op.create_table(
        "film_titles",
        sa.Column("key", sa.String(), nullable=False),
        _number("film_id"),
        sa.Column("title", sa.String(), nullable=False),
        _foreign_key("film_titles", "film_id", "films"),
        sa.PrimaryKeyConstraint("key", "film_id", name="pk_film_titles"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "film_mentions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("imdb", sa.String(), nullable=True),
        sa.Column("tmdb", sa.String(), nullable=True),
        sa.Column("wikidata", sa.String(), nullable=True),
        sa.Column("directors", sa.JSON(), nullable=False),
        sa.Column("genres", sa.JSON(), nullable=False),
        _number("film_id", nullable=True),
        sa.Column("certainty", sa.Float(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        _foreign_key("film_mentions", "film_id", "films"),
        sa.PrimaryKeyConstraint("id", name="pk_film_mentions"),
        sa.UniqueConstraint("digest", name="uq_film_mentions_digest"),
    )
    op.create_table(
        "film_sightings",
        _number("candidate_id"),
        sa.Column("evidence", sa.String(), nullable=False),
        _number("film_mention_id", nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("linked", sa.Boolean(), nullable=False),
        _foreign_key("film_sightings", "candidate_id", "candidates"),
        _foreign_key("film_sightings", "film_mention_id", "film_mentions"),
        sa.PrimaryKeyConstraint("candidate_id", "evidence", name="pk_film_sightings"),
        sqlite_with_rowid=False,
    )
    _partial_index("film_mentions", "id", "unsettled", "NOT settled")
    _partial_index("film_sightings", "candidate_id", "unlinked", "NOT linked")
    op.create_table(
        "image_films",
        _number("image_id"),
        _number("film_id"),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        _foreign_key("image_films", "image_id", "images"),
        _foreign_key("image_films", "film_id", "films"),
        sa.PrimaryKeyConstraint("image_id", "film_id", "evidence", name="pk_image_films"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "film_conflicts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        _number("film_id", nullable=True),
        _number("other_film_id", nullable=True),
        _number("image_id", nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        _foreign_key("film_conflicts", "film_id", "films"),
        _foreign_key("film_conflicts", "other_film_id", "films"),
        _foreign_key("film_conflicts", "image_id", "images"),
        sa.PrimaryKeyConstraint("id", name="pk_film_conflicts"),
    )
    op.create_table(
        "clusters",
        _number("image_id"),
        sa.Column("copies", sa.String(16), nullable=False),
        sa.Column("variants", sa.String(16), nullable=False),
        sa.Column("representative", sa.Boolean(), nullable=False),
        _foreign_key("clusters", "image_id", "images"),
        sa.PrimaryKeyConstraint("image_id", name="pk_clusters"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "duplicates",
        _number("image_id"),
        _number("other_id"),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("distance", sa.SmallInteger(), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=True),
        _foreign_key("duplicates", "image_id", "images"),
        _foreign_key("duplicates", "other_id", "images"),
        sa.PrimaryKeyConstraint("image_id", "other_id", name="pk_duplicates"),
        sqlite_with_rowid=False,
    )
    for table, column in (
        ("film_titles", "film_id"),
        ("film_mentions", "key"),
        ("film_mentions", "imdb"),
        ("film_mentions", "tmdb"),
        ("film_mentions", "wikidata"),
        ("film_mentions", "film_id"),
        ("film_sightings", "film_mention_id"),
        ("image_films", "film_id"),
        ("film_conflicts", "film_id"),
        ("film_conflicts", "other_film_id"),
        ("film_conflicts", "image_id"),
        ("clusters", "copies"),
        ("clusters", "variants"),
        ("duplicates", "other_id"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _foreign_key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def _partial_index(table: str, column: str, name: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(f"ix_{table}_{name}", table, [column], sqlite_where=where, postgresql_where=where)
