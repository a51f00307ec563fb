"""What the gates would have dropped, signals of consent, quality, embeddings, barren shapes of addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_gates"
down_revision = "0005_stores"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("candidates", sa.Column("gate", sa.String(), nullable=True))
    op.add_column("candidates", sa.Column("evidence", sa.String(), nullable=True))
    op.add_column("pages", sa.Column("evidence", sa.String(), nullable=True))
    for name in ("sharpness", "spread", "entropy"):
        op.add_column("images", sa.Column(name, sa.Float(), nullable=True))
    op.create_index(
        "ix_candidates_url",
        "candidates",
        ["url"],
        unique=False,
        sqlite_where=sa.text("image_id IS NOT NULL"),
        postgresql_where=sa.text("image_id IS NOT NULL"),
    )
    op.create_table(
        "embeddings",
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_embeddings_image_id_images"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_embeddings_model_id_models"),
        sa.PrimaryKeyConstraint("image_id", "model_id", name="pk_embeddings"),
    )
    op.create_table(
        "image_patterns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.String(), nullable=False),
        sa.Column("pattern", sa.String(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_image_patterns_source_id_sources"),
        sa.PrimaryKeyConstraint("id", name="pk_image_patterns"),
        sa.UniqueConstraint("source_id", "wanted", "pattern", name="uq_image_patterns_source_id_wanted_pattern"),
    )
