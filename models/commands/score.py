"""``python -m models score``: what a model says of any image files."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import click

from models.classifier import Classifier, ModelError
from models.commands.progress import progress
from models.files import ScoredFile, score_files
from models.registry import DEFAULT, load_model
from models.scorer import Scorer


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE|DIR]...")
@click.option("--model", "name", default=DEFAULT, show_default=True, help="name or folder")
@click.option(
    "--list", "listed", type=click.File(errors="surrogateescape"), help="a file with one path a line; - is stdin"
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line, with the scores of all labels")
def score(paths: tuple[Path, ...], name: str, listed: IO[str] | None, as_json: bool) -> None:
    """Score image files, one line each: path, label, probability, size, and what is wrong where there are no scores.

    Folders are walked in sorted order, without hidden files. Ends with 0 if at least one image could be scored, else
    with 1.
    """
    if not paths and listed is None:
        raise click.UsageError("give files or folders, or --list FILE")
    try:
        model = load_model(name)
    except ModelError as error:
        raise click.ClickException(str(error)) from None
    quiet = sys.stdout.isatty()  # the lines themselves are the progress
    total = None
    if sys.stderr.isatty() and not quiet and (listed is None or listed.seekable()):
        total = sum(1 for _ in _files(paths, listed))
        if listed is not None:
            listed.seek(0)
    scored = 0
    with closing(Scorer(model)) as scorer, progress(total, quiet) as advance:
        for file in score_files(_files(paths, listed), scorer):
            click.echo(_json(file, model) if as_json else _text(file, model))
            scored += file.scores is not None
            advance()
    if not scored:
        raise click.ClickException("no image could be scored")


def _files(paths: Iterable[Path], listed: IO[str] | None) -> Iterator[Path]:
    lines = (line.rstrip("\r\n") for line in listed or ())
    return _walk(itertools.chain(paths, (Path(line) for line in lines if line)))


def _walk(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that ``paths`` name, or hold at any depth. Links to folders are not followed: they may lead back."""
    for path in paths:
        try:
            children = sorted(path.iterdir()) if path.is_dir() else None
        except OSError:  # the attempt to read it will say why; so below
            children = None
        if children is None:
            yield path
        else:
            yield from _walk(child for child in children if not child.name.startswith(".") and _of_use(child))


def _of_use(path: Path) -> bool:
    try:
        return path.is_file() or (path.is_dir() and not path.is_symlink())
    except OSError:
        return True


def _text(file: ScoredFile, model: Classifier) -> str:
    label, probability, size = "-", "-", "-"
    if file.scores is not None:
        best = int(file.scores.argmax())
        label, probability = model.labels[best], f"{file.scores[best]:.3f}"
    if file.header is not None:
        size = f"{file.header.width}x{file.header.height}"
    cells = [str(file.path), label, probability, size]
    if file.problem:
        cells.append(f"{file.problem}: {file.detail}")
    # Names may hold anything; a tab or a line feed would look like another cell, other signs command a terminal.
    return "\t".join("".join(sign if sign.isprintable() else "?" for sign in cell) for cell in cells)


def _json(file: ScoredFile, model: Classifier) -> str:
    row: dict[str, object] = {"path": str(file.path)}
    if file.sha256:
        row["sha256"] = file.sha256
    if file.header is not None:
        row |= {"width": file.header.width, "height": file.header.height}
    if file.scores is not None:
        scores = [round(float(score), 6) for score in file.scores]
        best = int(file.scores.argmax())
        row |= {"model": model.name, "label": model.labels[best], "probability": scores[best]}
        row["scores"] = dict(zip(model.labels, scores, strict=True))
    else:
        row |= {"problem": file.problem, "detail": file.detail}
    return json.dumps(row)
