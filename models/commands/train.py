"""``python -m models train``: the shipped model anew."""

from __future__ import annotations

import json
from pathlib import Path

import click

from models.registry import DEFAULT, WEIGHTS


@click.command()
@click.argument("name", type=click.Choice([DEFAULT]))
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--imagenet", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="default: the shipped weights")
@click.option("--seed", default=7, show_default=True)
def train(name: str, data: Path, imagenet: Path, out: Path | None, seed: int) -> None:
    """Train NAME on DATA/<label>/<source>__<id>.jpg, starting from a quantised MobileNetV2 .tflite IMAGENET."""
    # TensorFlow takes seconds to load, and measuring does without it.
    from models.training.export import ship
    from models.training.train import train as fit

    folder = out or WEIGHTS / name
    network, labels = fit(data, folder, imagenet, seed)
    report = ship(network, labels, data, folder, seed)
    (folder / "checkpoint.weights.h5").unlink()
    click.echo(json.dumps(report.as_dict()["ranking"]))
