"""``python -m models evaluate``: how good a model is on labelled images."""

from __future__ import annotations

import json
from pathlib import Path

import click

from models.classifier import ModelError
from models.registry import DEFAULT, load_model


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", default=DEFAULT, show_default=True, help="name or folder")
@click.option("--label", default="poster", show_default=True)
@click.option("--held-out", is_flag=True, help="only the sources that training on FOLDER leaves out")
@click.option("--json", "as_json", is_flag=True)
def evaluate(folder: Path, model: str, label: str, held_out: bool, as_json: bool) -> None:
    """Measure MODEL on FOLDER/<label>/<image files>."""
    from models.evaluate import evaluate as measure
    from models.training.dataset import read_samples, split_by_source

    try:
        samples = read_samples(folder)
        report = measure(load_model(model), split_by_source(samples)[1] if held_out else samples, label)
    except (ModelError, FileNotFoundError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(report.as_dict()))
        return
    click.echo(f"{report.images:,} images, {report.unreadable:,} unreadable; {report.chance:.1%} are {report.label}")
    for name, ranking in ((report.model, report.ranking), ("aspect ratio alone", report.aspect_only)):
        figures = {key: round(value, 3) for key, value in ranking.as_dict().items()}
        click.echo(f"{name}: " + "  ".join(f"{key} {value}" for key, value in figures.items()))
    for row in report.by_source:
        click.echo(
            f"{row['label']:16} {row['source']:40} {row['images']:5}  named right {row['named_right']:.2f}"
            f"  kept at 0.5 {row['kept_at_0.5']:.2f}"
        )
