"""Commands that the guides use, to stand as examples beside what they are examples of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Example:
    """A command, and the page that has it."""

    line: str
    page: str
    title: str


def read(root: Path) -> list[Example]:
    """All lines of shell in docs/, those that the tests run first, in the order of the site's pages."""
    found: dict[str, list[Example]] = {"sh": [], "text": []}
    for page, title in _pages(yaml.safe_load((root / "mkdocs.yml").read_text())["nav"]):
        path = root / "docs" / page
        if page.startswith("reference/") or not path.is_file():
            continue
        for kind, body in re.findall(r"^```(sh|text)\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL):
            for line in body.replace("\\\n", " ").splitlines():
                # A remark beside a command stands apart from it.
                command = re.split(r"\s{2,}(?!-)", line.removeprefix("$ ").strip())[0]
                found[kind].append(Example(re.sub(r"\s+", " ", command).removeprefix(".venv/bin/"), page, title))
    return found["sh"] + found["text"]


def _pages(nav: list[object]) -> list[tuple[str, str]]:
    pages: list[tuple[str, str]] = []
    for entry in nav:
        assert isinstance(entry, dict)
        for title, value in entry.items():
            pages += _pages(value) if isinstance(value, list) else [(value, title)]
    return pages
