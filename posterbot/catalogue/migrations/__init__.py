"""Alembic's scripts: ``database.open_catalogue`` runs them on older catalogues; there is no alembic.ini."""

NEWEST = "0009_arms"
"""The revision equal to ``schema.py``: known without importing Alembic, which takes longer than most commands."""
