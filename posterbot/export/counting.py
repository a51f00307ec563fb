"""How many images an export would have, before it is made."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from posterbot.catalogue.schema import sources
from posterbot.catalogue.terms import effective_terms
from posterbot.export import kept
from posterbot.export.selection import one_moment
from posterbot.export.terms import AllTerms
from posterbot.export.where import parse


def number_chosen(engine: Engine, where: str) -> tuple[int, int]:
    """Images that ``where`` chooses, and all that are kept and stored: some seconds for each million.

    Raises:
        WhereError: it is no expression.
    """
    parts = parse(where)
    terms_of = effective_terms(engine)
    with one_moment(engine) as connection:
        names = {row.id: row.name for row in connection.execute(select(sources.c.id, sources.c.name))}
        terms = AllTerms(names, terms_of)
        allowed = terms.ml_allowed(), terms.redistributable()
        every = kept.stored().add_columns(func.count())
        chosen = every.where(*(kept.matching(part.node, connection.dialect.name, *allowed) for part in parts))
        number = int(connection.execute(chosen).scalar_one())
        return number, int(connection.execute(every).scalar_one()) if parts else number
