"""Every setting: name, default, and what the comment over it says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import comments
import markup

_OF_SCRAPY = {"BOT_NAME", "SPIDER_MODULES", "NEWSPIDER_MODULE", "COMMANDS_MODULE"}
"""What makes it a project of Scrapy's, and nobody changes."""


@dataclass
class Group:
    """Settings that one comment is about."""

    names: list[str]
    about: str
    lines: list[str] = field(default_factory=list)


def page(root: Path) -> str:
    """The page."""
    parts = markup.begin(
        "Settings",
        "Every default of `posterbot/settings.py`, in its order. Each may be given as `-s NAME=VALUE`; those marked so "
        "may also stand in the environment. All others are [Scrapy's](https://docs.scrapy.org/en/latest/topics/"
        "settings.html) and keep their names and meaning. The guides say more: [crawling](../crawl.md), "
        "[long crawls](../long-crawls.md), [gates](../gates.md), [consent](../consent.md), [safety](../safety.md), "
        "[stores](../stores.md).",
    )
    module = comments.read(root / "posterbot/settings.py")
    names = {name for _, groups in _sections(module) for group in groups for name in group.names}
    for title, groups in _sections(module):
        parts.append(f"## {title}")
        for group in groups:
            parts += [
                "### " + ", ".join(map(markup.code, group.names)),
                markup.block("\n".join(group.lines), "python"),
            ]
            parts.append(markup.text(group.about, names))
    return markup.end(parts)


def _sections(module: comments.Module) -> Iterator[tuple[str, list[Group]]]:
    rulers = {
        line: text.strip("- ").partition(":")[0] for line, text in module.comments.items() if comments.is_ruler(text)
    }
    found: dict[str, list[Group]] = {title: [] for title in rulers.values()}
    before: ast.stmt | None = None
    for statement in module.statements:
        names = [
            target.id
            for target in getattr(statement, "targets", ())
            if isinstance(target, ast.Name) and target.id.isupper()
        ]
        title = next((rulers[line] for line in sorted(rulers, reverse=True) if line < statement.lineno), None)
        if isinstance(statement, ast.Assign) and names and title and names[0] not in _OF_SCRAPY:
            about = module.above(statement.lineno)
            groups = found[title]
            if about or not groups or not _shares(before, statement):
                groups.append(Group([], about))
            groups[-1].names += names
            groups[-1].lines.append(_written(module.source, statement))
        before = statement
    yield from found.items()


def _shares(before: ast.stmt | None, statement: ast.Assign) -> bool:
    """Is it about what the setting right above it is about? Tables of classes stand for themselves."""
    plain = all(not isinstance(getattr(node, "value", None), ast.Dict) for node in (before, statement))
    return plain and before is not None and before.end_lineno == statement.lineno - 1


def _written(source: str, statement: ast.Assign) -> str:
    """The line as it is in the file, but with the default alone where the environment goes before it."""
    match statement.value:
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get"), args=[_, default]):
            name = ast.unparse(statement.targets[0])
            return f"{name} = {ast.get_source_segment(source, default)}  # or as the environment has it"
    return ast.get_source_segment(source, statement) or ""
