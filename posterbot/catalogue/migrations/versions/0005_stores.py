"""Where images were stored, what is kept of rejected ones, and what was forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_stores"
down_revision = "0004_frontier"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them. Of earlier runs it is not known where they stored."""
    op.add_column("runs", sa.Column("store", sa.String(), nullable=True))
    op.add_column("images", sa.Column("dropped_path", sa.String(), nullable=True))
    op.add_column("images", sa.Column("dropped_bytes", sa.Integer(), nullable=True))
    op.create_table(
        "tombstones",
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_tombstones"),
        sqlite_with_rowid=False,
    )
