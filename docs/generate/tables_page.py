"""Every table and column of the catalogue, with what the comments beside them say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import comments
import markup
from sqlalchemy import Column, Table, UniqueConstraint

_TITLES = {"schema": "Crawls, pages, images and verdicts", "schema_films": "Films and copies"}
_NOT_COLUMNS = {"Index", "UniqueConstraint"}
_TYPES = {
    "BigInteger": "large integer",
    "Boolean": "yes or no",
    "Double": "float64",
    "Float": "float",
    "Float16Vector": "float16 vector",
    "Float32Vector": "float32 vector",
    "Integer": "integer",
    "JSON": "JSON",
    "LargeBinary": "bytes",
    "SmallInteger": "small integer",
    "String": "text",
    "Text": "text",
    "UtcDateTime": "time",
}


def page(root: Path) -> str:
    """The page."""
    parts = markup.begin(
        "Tables",
        "Every table of the catalogue as `posterbot/catalogue/schema*.py` has it, the same on SQLite and PostgreSQL. "
        "[The catalogue](../catalogue.md) explains them, and has questions to ask them. *Times* are in UTC, *vectors* "
        'little-endian bytes; "or null" is said where a value may be missing; key columns are marked **key**.',
    )
    seen = set()
    for path in sorted(root.glob("posterbot/catalogue/schema*.py")):
        module = comments.read(path)
        doc = ast.get_docstring(ast.Module(module.statements, [])) or path.stem
        parts.append(f"## {_TITLES.get(path.stem) or re.split(r'[.:]', doc)[0]}")
        for table, call in _tables(path, module):
            seen.add(table.name)
            parts += [f"### `{table.name}`", _capital(markup.text(module.above(call.lineno)))]
            parts.append(markup.table(("column", "type", "meaning"), _columns(module, table, call)))
            parts.append(_unique(table))
    metadata = import_module("posterbot.catalogue.columns").metadata
    assert seen == set(metadata.tables), f"tables that are in no schema*.py: {set(metadata.tables) - seen}"
    return markup.end(parts)


def _tables(path: Path, module: comments.Module) -> Iterator[tuple[Table, ast.Call]]:
    here = import_module(f"posterbot.catalogue.{path.stem}")
    for statement in module.statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="Table")) as call):
                yield getattr(here, name), call


def _columns(module: comments.Module, table: Table, call: ast.Call) -> Iterator[tuple[str, str, str]]:
    written = [
        argument
        for argument in call.args[2:]
        if isinstance(argument, ast.Call) and ast.unparse(argument.func) not in _NOT_COLUMNS
    ]
    for column, argument in zip(table.columns, written, strict=True):
        about = [_key(column), markup.text(module.comments.get(argument.end_lineno or 0, ""))]
        about += [f"→ [{key.column.table.name}](#{key.column.table.name})" for key in column.foreign_keys]
        yield markup.code(column.name), _type(column), " ".join(filter(None, about))


def _key(column: Column[object]) -> str:
    return "**key**" if column.primary_key else ""


def _type(column: Column[object]) -> str:
    name = _TYPES.get(type(column.type).__name__, type(column.type).__name__)
    return f"{name} or null" if column.nullable else name


def _unique(table: Table) -> str:
    """What no two rows have in common, beside the key."""
    sets = [
        [column.name for column in rule.columns] for rule in table.constraints if isinstance(rule, UniqueConstraint)
    ]
    sets += [[column.name for column in index.columns] for index in table.indexes if index.unique]
    return "".join(f"Unique: {', '.join(map(markup.code, names))}.\n\n" for names in sorted(sets))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
