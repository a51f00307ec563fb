"""``python -m models train``: the shipped model anew, or labels of one's own on top of a model."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import click

from models.classifier import ModelError
from models.commands.progress import progress
from models.declaration import read_toml
from models.registry import DEFAULT, WEIGHTS, known_models, load_model

SHOWN = 20
"""Unreadable files that are named; of more, the number is said."""


@click.command()
@click.argument("name")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--from", "base", metavar="MODEL", help="teach NAME on the frozen features of this one")
@click.option(
    "--imagenet",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"train {DEFAULT} from this quantised MobileNetV2 .tflite",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="default: among the shipped weights")
@click.option("--seed", default=7, show_default=True)
@click.option("--folds", type=click.IntRange(2, 20), help="of the cross-validation, with --from  [default: 5]")
def train(
    name: str, data: Path, base: str | None, imagenet: Path | None, out: Path | None, seed: int, folds: int | None
) -> None:
    """Train the model NAME on DATA/<label>/<source>__<id>.jpg.

    With --from, NAME is a model of your own: the labels are those of DATA, and it takes seconds. With --imagenet,
    NAME is web-images, all of it is trained, and it takes hours.
    """
    folder = out or WEIGHTS / name
    if name == DEFAULT:
        if imagenet is None or base is not None or folds is not None:
            raise click.UsageError(f"{DEFAULT} is trained with --imagenet FILE; --from and --folds teach other names")
        _train_all(data, folder, imagenet, seed)
    elif base is None or imagenet is not None:
        raise click.UsageError(f"{name} is taught with --from MODEL; --imagenet FILE trains {DEFAULT} only")
    elif not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise click.BadParameter(f"{name!r}: a name is made of a-z, 0-9, _ and -", param_hint="NAME")
    else:
        for place in (WEIGHTS / name, folder):
            if (place / "model.toml").exists() and not _is_taught(place):
                raise click.UsageError(f"{place} holds a model that was not taught: give another name or folder")
        _teach(name, data, base, folder, seed, folds or 5, usable_as=name if out is None else str(out))


def _train_all(data: Path, folder: Path, imagenet: Path, seed: int) -> None:
    # TensorFlow takes seconds to load, and measuring does without it.
    from models.training.ship import train_web_images

    try:
        report = train_web_images(data, folder, imagenet, seed)
    except (FileNotFoundError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(report.as_dict()["ranking"]))


def _teach(name: str, data: Path, base_name: str, folder: Path, seed: int, folds: int, usable_as: str) -> None:
    # scikit-learn takes a second to load.
    from models.lesson import TeachError, labelled_files, read_lesson
    from models.taught import TaughtClassifier
    from models.teach import save, teach
    from models.teach_card import HEADINGS, card, table

    started = time.monotonic()
    try:
        base = load_model(base_name)
        if isinstance(base, TaughtClassifier):
            raise TeachError(f"{base_name} is itself taught on {base.base_name}: teach on that one")
        if base_name not in known_models() and Path(base_name).exists():
            base_name = str(Path(base_name).resolve())  # to be found from anywhere
        with progress(len(labelled_files(data))) as advance:
            lesson = read_lesson(data, base, advance)
        for line in lesson.unreadable[:SHOWN]:
            click.echo(f"unreadable: {line}", err=True)
        if len(lesson.unreadable) > SHOWN:
            click.echo(f"unreadable: {len(lesson.unreadable) - SHOWN:,} more", err=True)
        embedded = time.monotonic()
        with progress(len(lesson.examples.targets)) as advance:
            taught = teach(lesson, seed, folds, advance)
    except (ModelError, TeachError) as error:
        raise click.ClickException(str(error)) from None
    try:
        save(folder, name, base, base_name, lesson, taught, card(name, base, lesson, taught, seed))
    except OSError as error:
        raise click.ClickException(f"cannot write {folder}: {error.strerror}; give --out FOLDER") from None
    click.echo(
        f"{len(lesson.examples.targets):,} images of {len(lesson.labels)} labels, {len(lesson.unreadable):,} unreadable"
        f" · embedded in {embedded - started:.1f} s, taught in {time.monotonic() - embedded:.1f} s"
    )
    click.echo(f"cross-validated in {taught.folds} folds, at threshold 0.5, with 95 % intervals:")
    rows = [HEADINGS, *table(lesson, taught)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo(f"{folder / 'card.md'} has the rest; use it as -a model={usable_as}")


def _is_taught(folder: Path) -> bool:
    try:
        return read_toml(folder / "model.toml").get("kind") == "taught"
    except ModelError:
        return False
