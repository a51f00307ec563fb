"""What the comments in a module say, beside the code that they speak of."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Module:
    """A module's source, its statements, and its comments by line (from 1), without the sign."""

    source: str
    statements: list[ast.stmt]
    comments: dict[int, str]
    alone: frozenset[int]
    """Lines that are nothing but a comment."""

    def above(self, line: int) -> str:
        """The comment that ends on the line before."""
        first = line
        while first - 1 in self.alone and not is_ruler(self.comments[first - 1]):
            first -= 1
        return " ".join(self.comments[at] for at in range(first, line))


def read(path: Path) -> Module:
    """Read a module."""
    source = path.read_text()
    comments, alone = {}, set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments[token.start[0]] = token.string.removeprefix("#").strip()
            if token.line.lstrip().startswith("#"):
                alone.add(token.start[0])
    return Module(source, ast.parse(source).body, comments, frozenset(alone))


def is_ruler(comment: str) -> bool:
    """Does it begin a section?"""
    return comment.startswith("---") and comment.endswith("---")
