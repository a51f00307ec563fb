"""``python -m models text`` and ``train-text``: the classifier of alt texts and addresses."""

from __future__ import annotations

import json
from pathlib import Path

import click

from models.classifier import ModelError
from models.text import TextClassifier
from models.text.classifier import WEIGHTS


@click.command()
@click.argument("alt", default="")
@click.option("--url", default="", help="address of the image")
@click.option("--title", default="", help="its title attribute")
@click.option("--caption", default="", help="its caption, or the nearest heading")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def text(alt: str, url: str, title: str, caption: str, as_json: bool) -> None:
    """Say of the words around an image, ALT and others, whether it is surely not a poster, likely one, or neither."""
    if not any((alt, url, title, caption)):
        raise click.UsageError("give an alt text, --url, --title or --caption")
    try:
        judged = TextClassifier().judge(alt, title, caption, url)
    except ModelError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps({"answer": judged.answer, "score": round(judged.score, 4)}))
    else:
        click.echo(f"{judged.answer}\t{judged.score:.3f}")


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="default: the shipped weights; made if missing"
)
@click.option("--seed", default=7, show_default=True)
def train_text(data: Path, out: Path | None, seed: int) -> None:
    """Train the text classifier on lists of films and pieces of Wikipedia dumps below DATA: five to ten minutes."""
    # scikit-learn takes a second to load, and judging does without it.
    from models.text.train import train

    try:
        report = train(data, out or WEIGHTS.parent, seed, lambda line: click.echo(line, err=True))
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    for name, mean in report.dropped.items():
        click.echo(f"posters dropped by {name}: {mean.share:.2%} on average, {mean.worst:.2%} at worst")
