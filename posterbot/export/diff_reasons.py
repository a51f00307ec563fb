"""Why an image of one dataset is not in another, as far as their lockfiles tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from posterbot.catalogue.rows import source_of
from posterbot.export.lockfile import Header, Rule
from posterbot.export.terms import NOT_ALLOWED, TOO_OLD
from posterbot.export.where import FIELDS, Either, Kind, Node, Not, Part, Test, WhereError, parse
from posterbot.export.where import UNKNOWN as NOT_KNOWN

Row = dict[str, Any]
"""Columns of a lockfile."""


@dataclass(frozen=True, slots=True)
class Why:
    """A reason, which many images may have, and what is to be said of one of them."""

    reason: str
    detail: str


UNKNOWN = Why("not told", "the lockfiles do not tell; --catalogue may")


@dataclass(frozen=True)
class Side:
    """One of the two datasets."""

    header: Header
    latest: datetime | None
    """When the last of its images was fetched."""

    @cached_property
    def where(self) -> tuple[Part, ...]:
        """What its images had to fulfil; empty where that cannot be read (any more)."""
        try:
            return parse(self.header.options.where)
        except WhereError:
            return ()

    @cached_property
    def rules(self) -> dict[int, Rule]:
        """By number."""
        return {rule.number: rule for rule in self.header.rules}

    @cached_property
    def terms(self) -> dict[str, tuple[bool | None, bool | None]]:
        """Source → may be trained with, may be passed on; of those that have images in it."""
        return {source.name: (source.ml_allowed, source.redistributable) for source in self.header.sources}


def why_not(row: Row, missing_in: Side, there: Side, *, new: bool) -> Why:
    """Why the image ``row`` of ``there`` is not in the other dataset; :data:`UNKNOWN` where it may be anything.

    Args:
        row: columns of the lockfile that has it.
        missing_in: the dataset that does not.
        there: the one that does.
        new: it is missing in the earlier of the two.
    """
    if new and missing_in.latest is not None and row["fetched_at"] > missing_in.latest:
        return Why("fetched later", f"fetched {row['fetched_at']:%Y-%m-%d %H:%M} UTC, after all of the other")
    return _terms(row, missing_in, there) or _where(row, missing_in) or _policy(row, missing_in, there) or UNKNOWN


def _terms(row: Row, missing_in: Side, there: Side) -> Why | None:
    """What the terms of the image's source, or of its page's, say today of what the other dataset is for."""
    options = missing_in.header.options
    if options.purpose not in NOT_ALLOWED:
        return None
    place = ("training", "redistribution").index(options.purpose)
    own = (row["ml_allowed"], row["redistributable"])[place]
    for name in dict.fromkeys((row["source"], source_of(row["page_url"], row["source"]))):
        if name in options.agreements:
            continue
        said = missing_in.terms.get(name, (own, own))[place] if name == row["source"] else None
        if said is False or f"{NOT_ALLOWED[options.purpose]}: {name}" in missing_in.header.left_out:
            changed = "" if own is False else f"; it was {_allowed(own)}"
            agreed = ", and there is no agreement any more" if name in there.header.options.agreements else ""
            return Why("terms", f"{name} does not allow {options.purpose}{changed}{agreed}")
        if f"{TOO_OLD}: {name}" in missing_in.header.left_out:
            return Why("age", f"older than {name} allows, it seems: fetched {row['fetched_at']:%Y-%m-%d}")
    return None


def _allowed(said: bool | None) -> str:
    return "not known" if said is None else "allowed" if said else "not allowed"


def _where(row: Row, missing_in: Side) -> Why | None:
    for part in missing_in.where:
        if holds(part.node, row) is False:
            return Why("where", f"not: {part.text}")
    return None


def _policy(row: Row, missing_in: Side, there: Side) -> Why | None:
    """It was kept by a policy that the other dataset does not have, and none of those it has would keep it."""
    rules = missing_in.rules
    if not rules or rules.get(row["policy"]) == there.rules.get(row["policy"]):
        return None
    refusals = [_refusal(row, rule, there.rules.get(row["policy"])) for _, rule in sorted(rules.items())]
    if any(refusal is None for refusal in refusals):
        return None
    return refusals[-1]


def _refusal(row: Row, rule: Rule, by: Rule | None) -> Why | None:
    if rule.model_hash != row["model_hash"]:
        return Why("another model", f"policy {rule.number} judges by {rule.model} {rule.model_hash[:12]}")
    if by is not None and by.labels == rule.labels:
        if row["score"] < rule.threshold:
            said = f"score {row['score']:.3g} < threshold {rule.threshold:.3g} of policy {rule.number}"
            return Why("threshold", said)
        if rule.top is not None and rule.top != by.top:
            return Why("top", f"policy {rule.number} wants it in the top {rule.top}")
        return None
    if row["label"] not in rule.labels:
        return Why("labels", f"{row['label']!r} is not wanted by policy {rule.number}: {', '.join(rule.labels)}")
    return None


def holds(node: Node, row: Row) -> bool | None:
    """Is an expression true of a row of a lockfile? None: that takes more than the row.

    As in the database, a comparison with what is not known is false, and so its contrary is true.
    """
    if isinstance(node, Not):
        found = holds(node.of, row)
        return None if found is None else not found
    if isinstance(node, Test):
        return _tested(node, row)
    parts = [holds(part, row) for part in node.of]
    decides = isinstance(node, Either)
    if decides in parts:
        return decides
    return None if None in parts else not decides


_COLUMN = {"genre": "genres"}
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: bool(one == other),
    "<": lambda one, other: bool(one < other),
    "<=": lambda one, other: bool(one <= other),
    ">": lambda one, other: bool(one > other),
    ">=": lambda one, other: bool(one >= other),
    "contains": lambda one, other: other in one,
}


def _tested(test: Test, row: Row) -> bool | None:
    kind = FIELDS[test.field][0]
    column = _COLUMN.get(test.field, test.field)
    if column not in row:
        return None
    value = row[column]
    values = list(value) if kind is Kind.WORDS else [] if value is None or value == "" else [value]
    if test.operator == "known":
        return values == [True] if kind is Kind.FLAG else bool(values)
    for wanted in test.values:
        if wanted is NOT_KNOWN:
            if not values:
                return True
        elif any(_COMPARED[test.operator](each, wanted) for each in values):
            return True
    return False
