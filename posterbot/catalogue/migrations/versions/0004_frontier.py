"""A crawl can be left and resumed, by any number of workers: the frontier and what belongs to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_frontier"
down_revision = "0003_claims"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables. Crawls of before have no frontier: ``runs.job`` stays NULL, and they are not resumed."""
    op.create_table(
        "workers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("born", sa.String(), nullable=False),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_workers_run_id_runs"),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    op.create_index("ix_workers_run_id", "workers", ["run_id"], unique=False)
    op.create_table(
        "hosts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("worker_id", sa.Integer(), nullable=True),
        sa.Column("wanted_by", sa.Integer(), nullable=True),
        sa.Column("next_at", sa.Double(), server_default="0", nullable=False),
        sa.Column("gap", sa.Double(), server_default="0", nullable=False),
        sa.Column("crawl_delay", sa.Double(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("openings", sa.Integer(), server_default="0", nullable=False),
        sa.Column("closed_until", sa.Double(), server_default="0", nullable=False),
        sa.Column("closed_reason", sa.String(), nullable=True),
        sa.Column("day", sa.Integer(), server_default="0", nullable=False),
        sa.Column("day_requests", sa.Integer(), server_default="0", nullable=False),
        sa.Column("day_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("requests", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name="fk_hosts_worker_id_workers"),
        sa.PrimaryKeyConstraint("id", name="pk_hosts"),
        sa.UniqueConstraint("name", name="uq_hosts_name"),
    )
    op.create_index("ix_hosts_worker_id", "hosts", ["worker_id"], unique=False)
    op.create_table(
        "patterns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("pattern", sa.String(), nullable=False),
        sa.Column("pages", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fruitless", sa.Integer(), server_default="0", nullable=False),
        sa.Column("closed", sa.String(), nullable=True),
        sa.Column("refused", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name="fk_patterns_host_id_hosts"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_patterns_run_id_runs"),
        sa.PrimaryKeyConstraint("id", name="pk_patterns"),
        sa.UniqueConstraint("run_id", "host_id", "pattern", name="uq_patterns_run_id_host_id_pattern"),
    )
    op.create_table(
        "queues",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), server_default="0", nullable=False),
        sa.Column("added", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("served_at", sa.Double(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name="fk_queues_host_id_hosts"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_queues_run_id_runs"),
        sa.PrimaryKeyConstraint("run_id", "host_id", name="pk_queues"),
    )
    op.create_index(
        "ix_queues_waiting",
        "queues",
        ["run_id", "served_at"],
        unique=False,
        sqlite_where=sa.text("waiting > 0"),
        postgresql_where=sa.text("waiting > 0"),
    )
    op.create_table(
        "frontier",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("pattern_id", sa.Integer(), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(length=20), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Integer(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("retry_at", sa.Double(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name="fk_frontier_host_id_hosts"),
        sa.ForeignKeyConstraint(["pattern_id"], ["patterns.id"], name="fk_frontier_pattern_id_patterns"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_frontier_run_id_runs"),
        sa.PrimaryKeyConstraint("id", name="pk_frontier"),
        sa.UniqueConstraint("run_id", "fingerprint", name="uq_frontier_run_id_fingerprint"),
    )
    op.create_index("ix_frontier_parent_id", "frontier", ["parent_id"], unique=False)
    op.create_index(
        "ix_frontier_leased",
        "frontier",
        ["worker_id"],
        unique=False,
        sqlite_where=sa.text("state = 1"),
        postgresql_where=sa.text("state = 1"),
    )
    op.create_index(
        "ix_frontier_pending",
        "frontier",
        ["run_id", "host_id", "rank", "id"],
        unique=False,
        sqlite_where=sa.text("state = 0"),
        postgresql_where=sa.text("state = 0"),
    )
    op.create_index(
        "ix_frontier_retry",
        "frontier",
        ["run_id", "retry_at"],
        unique=False,
        sqlite_where=sa.text("state = 3 AND retry_at IS NOT NULL"),
        postgresql_where=sa.text("state = 3 AND retry_at IS NOT NULL"),
    )
    op.add_column("pages", sa.Column("etag", sa.String(), server_default="", nullable=False))
    op.add_column("pages", sa.Column("last_modified", sa.String(), server_default="", nullable=False))
    op.create_index("ix_pages_url", "pages", ["url"], unique=False)
    op.add_column("runs", sa.Column("job", sa.String(), nullable=True))
    op.add_column("runs", sa.Column("stopping", sa.Boolean(), server_default=sa.false(), nullable=False))
