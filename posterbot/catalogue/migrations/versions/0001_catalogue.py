"""The first catalogue: runs, sources, pages, films, images, candidates, models, scores, policies, verdicts.

Written out rather than taken from ``schema.py``, which goes on changing while this step never does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001_catalogue"
down_revision = None
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _id(table: str) -> tuple[sa.Column[object], sa.PrimaryKeyConstraint]:
    return sa.Column("id", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id", name=f"pk_{table}")


def _foreign_key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "runs",
        *_id("runs"),
        _text("spider"),
        _json("arguments"),
        _text("version"),
        _time("started_at"),
        _time("finished_at", nullable=True),
        _text("finish_reason", nullable=True),
    )
    op.create_table(
        "sources",
        *_id("sources"),
        _text("name"),
        sa.Column("ml_allowed", sa.Boolean(), nullable=True),
        sa.Column("redistributable", sa.Boolean(), nullable=True),
        _text("attribution", nullable=True),
        _number("max_age_days", nullable=True),
        _text("terms_url", nullable=True),
        sa.UniqueConstraint("name", name="uq_sources_name"),
    )
    op.create_table(
        "pages",
        *_id("pages"),
        _number("run_id"),
        _number("source_id"),
        _text("url"),
        _number("status", nullable=True),
        _text("title"),
        _text("referrer"),
        _number("depth"),
        _text("reason", nullable=True),
        _number("data_uris"),
        _time("fetched_at"),
        sa.UniqueConstraint("run_id", "url", name="uq_pages_run_id_url"),
        _foreign_key("pages", "run_id", "runs"),
        _foreign_key("pages", "source_id", "sources"),
    )
    op.create_table(
        "films",
        *_id("films"),
        _number("page_id"),
        _text("kind"),
        _text("name"),
        _number("year", nullable=True),
        _json("genres"),
        _json("directors"),
        _json("same_as"),
        _foreign_key("films", "page_id", "pages"),
    )
    op.create_index("ix_films_page_id", "films", ["page_id"])
    op.create_table(
        "images",
        *_id("images"),
        sa.Column("sha256", sa.String(64), nullable=False),
        _number("bytes"),
        _text("format"),
        _number("width"),
        _number("height"),
        sa.Column("phash", sa.String(16), nullable=True),
        _text("path", nullable=True),
        _time("first_seen_at"),
        sa.UniqueConstraint("sha256", name="uq_images_sha256"),
    )
    op.create_index("ix_images_phash", "images", ["phash"])
    op.create_table(
        "candidates",
        *_id("candidates"),
        _number("page_id"),
        _number("image_id", nullable=True),
        _number("source_id"),
        _text("url"),
        _text("found_by"),
        _text("alt"),
        _text("title"),
        _text("caption"),
        _number("declared_width", nullable=True),
        _number("declared_height", nullable=True),
        _json("alternatives"),
        _text("final_url"),
        _number("http_status", nullable=True),
        _text("content_type"),
        _text("etag"),
        _text("last_modified"),
        _text("reason", nullable=True),
        _time("fetched_at"),
        sa.UniqueConstraint("page_id", "url", name="uq_candidates_page_id_url"),
        _foreign_key("candidates", "page_id", "pages"),
        _foreign_key("candidates", "image_id", "images"),
        _foreign_key("candidates", "source_id", "sources"),
    )
    op.create_index("ix_candidates_image_id", "candidates", ["image_id"])
    op.create_table(
        "models",
        *_id("models"),
        _text("name"),
        sa.Column("hash", sa.String(64), nullable=False),
        _json("labels"),
        sa.UniqueConstraint("hash", name="uq_models_hash"),
    )
    op.create_table(
        "scores",
        _number("image_id"),
        _number("model_id"),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("image_id", "model_id", name="pk_scores"),
        _foreign_key("scores", "image_id", "images"),
        _foreign_key("scores", "model_id", "models"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "policies",
        *_id("policies"),
        _number("run_id"),
        _number("model_id"),
        _json("labels"),
        sa.Column("threshold", sa.Float(), nullable=False),
        _text("author"),
        _text("origin"),
        _time("at"),
        _foreign_key("policies", "run_id", "runs"),
        _foreign_key("policies", "model_id", "models"),
    )
    op.create_table(
        "verdicts",
        _number("image_id"),
        _number("policy_id"),
        sa.Column("keep", sa.Boolean(), nullable=False),
        _text("reason"),
        _text("label", nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("image_id", "policy_id", name="pk_verdicts"),
        _foreign_key("verdicts", "image_id", "images"),
        _foreign_key("verdicts", "policy_id", "policies"),
        sqlite_with_rowid=False,
    )
