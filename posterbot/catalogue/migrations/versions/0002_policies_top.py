"""A policy may ask that a wanted label is among the likeliest: ``policies.top``."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_policies_top"
down_revision = "0001_catalogue"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the policies that are there do not ask it."""
    op.add_column("policies", sa.Column("top", sa.Integer(), nullable=True))
