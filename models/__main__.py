"""``python -m models``: train, measure and use posterbot's classifiers."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "score": ("score", "score", "Score image files, one line each."),
    "text": ("text", "text", "Say of the words around images whether they are posters."),
    "evaluate": ("evaluate", "evaluate", "Measure a model on images whose labels are known."),
    "train": ("train", "train", "Train a model, or teach one labels of your own."),
    "train-text": ("text", "train_text", "Train the classifier of words."),
}
"""Name → its module in models.commands, its function, and what it does in one line."""


class _Commands(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, function, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"models.commands.{module}"), function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="posterbot", prog_name="models", message="%(prog)s %(version)s")
def cli() -> None:
    """Train, measure and use posterbot's classifiers.

    Each command has a --help of its own.
    """


if __name__ == "__main__":
    cli(prog_name="python -m models")
