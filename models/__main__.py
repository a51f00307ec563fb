"""``python -m models``: train, measure and use posterbot's classifiers."""

from __future__ import annotations

import sys

import click

from models.commands.evaluate import evaluate
from models.commands.score import score
from models.commands.text import text, train_text
from models.commands.train import train


@click.group()
def cli() -> None:
    """Train, measure and use posterbot's classifiers."""


for command in (evaluate, score, text, train, train_text):
    cli.add_command(command)


if __name__ == "__main__":
    sys.exit(cli())
