"""What the frontier learns: arms, what leads from one to another, what words promise, the course of a run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_arms"
down_revision = "0008_reviews"
branch_labels = None
depends_on = None

_PENDING, _WAITING = sa.text("state = 0"), sa.text("waiting > 0")


def upgrade() -> None:
    """Add them. Of links that are known already nothing is known but their URL: they are of no arm."""
    op.create_table(
        "arms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("pattern", sa.String(), nullable=False),
        sa.Column("added", sa.Integer(), server_default="0", nullable=False),
        sa.Column("promise", sa.Double(), server_default="0", nullable=False),
        sa.Column("pulls", sa.Double(), server_default="0", nullable=False),
        sa.Column("reward", sa.Double(), server_default="0", nullable=False),
        sa.Column("cost", sa.Double(), server_default="0", nullable=False),
        sa.Column("leads", sa.Double(), server_default="0", nullable=False),
        sa.Column("fetched", sa.Integer(), server_default="0", nullable=False),
        sa.Column("found", sa.Double(), server_default="0", nullable=False),
        sa.Column("worth", sa.Double(), server_default="0", nullable=False),
        sa.Column("served_at", sa.Double(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_arms_run_id_runs"),
        sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name="fk_arms_host_id_hosts"),
        sa.PrimaryKeyConstraint("id", name="pk_arms"),
        sa.UniqueConstraint("run_id", "host_id", "path", "pattern", name="uq_arms_run_id_host_id_path_pattern"),
    )
    op.create_table(
        "arm_links",
        sa.Column("arm_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["arm_id"], ["arms.id"], name="fk_arm_links_arm_id_arms"),
        sa.ForeignKeyConstraint(["child_id"], ["arms.id"], name="fk_arm_links_child_id_arms"),
        sa.PrimaryKeyConstraint("arm_id", "child_id", name="pk_arm_links"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "promises",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_promises_run_id_runs"),
        sa.PrimaryKeyConstraint("run_id", "bucket", name="pk_promises"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "yields",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("found", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_yields_run_id_runs"),
        sa.PrimaryKeyConstraint("run_id", "slot", name="pk_yields"),
        sqlite_with_rowid=False,
    )
    op.add_column("queues", sa.Column("worth", sa.Double(), server_default="0", nullable=False))
    op.create_index("ix_queues_worth", "queues", ["run_id", "worth"], sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.add_column("frontier", sa.Column("arm_id", sa.Integer(), server_default="0", nullable=False))
    for name in ("number", "led", "led_to"):
        op.add_column("frontier", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("frontier", sa.Column("depth", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("frontier", sa.Column("features", sa.LargeBinary(), nullable=True))
    op.add_column("frontier", sa.Column("found", sa.Float(), nullable=True))
    op.drop_index("ix_frontier_pending", "frontier")
    op.create_index(
        "ix_frontier_pending",
        "frontier",
        ["run_id", "host_id", "arm_id", "rank", "id"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.create_index("ix_film_statements_name", "film_statements", ["name"])
