"""From an expression of ``where.py`` to a condition of SQLAlchemy, in which every value is bound.

There is no third truth value. A comparison with what is not known is false, so ``!=`` and ``not`` are true of it: what
an expression leaves out is exactly what its contrary takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Double, String, and_, false, func, literal, not_, or_, true

from posterbot.export.where import FIELDS, UNKNOWN, Every, Kind, Node, Not, Test, Value

Words = Callable[[Callable[[ColumnElement[Any]], ColumnElement[bool]]], ColumnElement[bool]]
"""Of a field with several texts: is a condition true of one of them?"""


def condition(node: Node, columns: Mapping[str, ColumnElement[Any]], words: Mapping[str, Words]) -> ColumnElement[bool]:
    """True or false for every row, never NULL.

    Args:
        node: from ``where.parse``.
        columns: field → what it is in the database; NULL where it is not known.
        words: the same of fields that hold several texts.
    """
    if isinstance(node, Not):
        return not_(condition(node.of, columns, words))
    if isinstance(node, Test):
        kind = FIELDS[node.field][0]
        if kind is Kind.WORDS:
            return _of_words(node, words[node.field])
        return _of_column(node, kind, columns[node.field])
    parts = (condition(each, columns, words) for each in node.of)
    return and_(true(), *parts) if isinstance(node, Every) else or_(false(), *parts)


def _of_column(test: Test, kind: Kind, column: ColumnElement[Any]) -> ColumnElement[bool]:
    known = column.is_not(None) if kind is not Kind.TEXT else func.coalesce(column, "") != ""
    if test.operator == "known":
        return column.is_(true()) if kind is Kind.FLAG else known
    return or_(
        *(
            not_(known)
            if value is UNKNOWN
            else column.is_(true() if value else false())
            if kind is Kind.FLAG
            else func.coalesce(_compared(column, test.operator, value), false())
            for value in test.values
        )
    )


def _of_words(test: Test, words: Words) -> ColumnElement[bool]:
    known = words(lambda word: true())
    if test.operator == "known":
        return known
    return or_(
        *(
            not_(known) if value is UNKNOWN else words(lambda word, value=value: _compared(word, test.operator, value))  # type: ignore[misc]
            for value in test.values
        )
    )


def _compared(column: ColumnElement[Any], operator: str, value: Value) -> ColumnElement[bool]:
    if isinstance(value, str):
        return column.icontains(value, autoescape=True) if operator == "contains" else column == literal(value, String)
    bound = literal(value, Double)  # of a number that is whole, too: no database has to fit it into the column's type
    operators: dict[str, Callable[[], ColumnElement[bool]]] = {
        "=": lambda: column == bound,
        "<": lambda: column < bound,
        "<=": lambda: column <= bound,
        ">": lambda: column > bound,
        ">=": lambda: column >= bound,
    }
    return operators[operator]()
