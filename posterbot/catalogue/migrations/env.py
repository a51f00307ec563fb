"""Alembic's entry: migrate on the connection, and in the transaction, that ``open_catalogue`` hands over."""

from __future__ import annotations

from alembic import context

from posterbot.catalogue import schema, schema_films  # noqa: F401  # all tables
from posterbot.catalogue.columns import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
