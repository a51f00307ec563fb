"""A group of commands whose help is in sections, and whose modules are imported when a command is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem


class Sections(click.Group):
    """Commands by what they are for, in the order given; the help names all of them and imports none.

    Args:
        package: where the modules are.
        sections: title → name of a command, and of its function → its module, and what it does in one line.
    """

    def __init__(self, *args: Any, package: str, sections: Mapping[str, Mapping[str, tuple[str, str]]], **more: Any):
        super().__init__(*args, **more)
        self._package = package
        self._sections = sections
        self._modules = {name: module for listed in sections.values() for name, (module, _) in listed.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the help."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None."""
        if cmd_name not in self._modules:
            return None
        command: click.Command = getattr(import_module(f"{self._package}.{self._modules[cmd_name]}"), cmd_name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names that begin so, and options. A shell asks at each press of a key, so nothing is imported here either."""
        return [
            CompletionItem(name, help=summary)
            for listed in self._sections.values()
            for name, (_, summary) in listed.items()
            if name.startswith(incomplete)
        ] + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, with the second column in one place."""
        width = max(map(len, self._modules))
        for title, listed in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), summary) for name, (_, summary) in listed.items()])
