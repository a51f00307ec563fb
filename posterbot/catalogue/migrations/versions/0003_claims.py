"""What a list says of the images it names is kept: ``claims``."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_claims"
down_revision = "0002_policies_top"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; of the images that are there no list said anything that was kept."""
    op.create_table(
        "claims",
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("list", sa.String(), nullable=False),
        sa.Column("wiki", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("wiki_page_id", sa.BigInteger(), nullable=True),
        sa.Column("rev_id", sa.BigInteger(), nullable=True),
        sa.Column("template", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("image_name", sa.String(), nullable=True),
        sa.Column("repository", sa.String(), nullable=True),
        sa.Column("licence", sa.String(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("directors", sa.JSON(), nullable=False),
        sa.Column("countries", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("genres", sa.JSON(), nullable=False),
        sa.Column("imdb_id", sa.String(), nullable=True),
        sa.Column("dump_date", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("candidate_id", name="pk_claims"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidates.id"], name="fk_claims_candidate_id_candidates"),
    )
