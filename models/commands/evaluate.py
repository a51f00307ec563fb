"""``python -m models evaluate``: how good a model is on labelled images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from models.classifier import ModelError
from models.commands.progress import progress
from models.registry import DEFAULT, load_model

if TYPE_CHECKING:
    from models.evaluate import Report


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", default=DEFAULT, show_default=True, help="name or folder")
@click.option("--label", default="poster", show_default=True, help="the wanted label")
@click.option("--held-out", is_flag=True, help="only the sources that training on FOLDER leaves out")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="folder for report.json and plots; made if missing"
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object instead of tables")
def evaluate(folder: Path, model: str, label: str, held_out: bool, out: Path | None, as_json: bool) -> None:
    """Measure MODEL on FOLDER/<label>/<source>__<id>.<ext>.

    With --out, mistakes.png shows pictures of FOLDER: mind whose they are before passing it on.
    """
    # scikit-learn takes a second to load, and the other commands do without it.
    from models.evaluate import evaluate as measure
    from models.training.dataset import read_samples, split_by_source

    try:
        samples = read_samples(folder)
        if held_out:
            samples = split_by_source(samples)[1]
        if not samples:
            raise ValueError(f"{folder}: nothing is held out, since no label has images of two sources")
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        with progress(len(samples)) as advance:
            report = measure(load_model(model), samples, label, advance)
        if out is not None:
            _write(report, out)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from None
    except (ModelError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(report.as_dict()))
    else:
        _print(report)


def _write(report: Report, out: Path) -> None:
    # matplotlib too takes its second
    from models.plots import write_mistakes, write_plots

    (out / "report.json").write_text(json.dumps(report.as_dict(), indent=1) + "\n")
    write_plots(report, out)
    write_mistakes(report, out / "mistakes.png")


def _print(report: Report) -> None:
    click.echo(f"{report.images:,} images, {report.unreadable:,} unreadable; {report.chance:.1%} are {report.label}")
    for file in report.unreadable_files:
        click.echo(f"  {file}")
    if report.unreadable > len(report.unreadable_files):
        click.echo(f"  and {report.unreadable - len(report.unreadable_files):,} more")
    for name, ranking in ((report.model, report.ranking), ("aspect ratio alone", report.aspect_only)):
        click.echo(f"{name}: " + "  ".join(f"{key} {_figure(value)}" for key, value in ranking.as_dict().items()))
    ranges = "  ".join(f"{key} {low:.3f}–{high:.3f}" for key, (low, high) in report.intervals.items())
    click.echo(f"95 % intervals, by source: {ranges}")
    click.echo(
        f"named right {report.accuracy:.3f}  ECE {report.top_reliability.ece:.3f} (most probable label),"
        f" {report.label_reliability.ece:.3f} ({report.label})"
    )
    click.echo("\nthreshold  precision  recall  web false alarms  covers passing")
    for threshold, row in report.at_threshold.items():
        cells = "  {:>9}  {:>6}  {:>16}  {:>14}".format(*map(_figure, row.values()))
        click.echo(f"{threshold:>9}{cells}")
    click.echo(f"\n{'label':16} images  precision  recall     f1     AP    AUC  mostly mistaken for")
    mistaken = _mistaken(report)
    for label in report.by_label:
        figures = label.precision, label.recall, label.f1, label.average_precision, label.auc
        cells = "  {:>9}  {:>6}  {:>5}  {:>5}  {:>5}".format(*map(_figure, figures))
        click.echo(f"{label.label:16} {label.support:6}{cells}  {mistaken[label.label]}".rstrip())
    click.echo(f"\n{'label':16} {'source':50} images  named right  kept at 0.5")
    for source in report.by_source:
        click.echo(
            f"{source['label']:16} {source['source']:50} {source['images']:6}  {source['named_right']:11.2f}"
            f"  {source['kept_at_0.5']:11.2f}"
        )


def _mistaken(report: Report) -> dict[str, str]:
    """Label → the two labels its images were most often named instead, with counts."""
    names, rows = report.confusion.labels, {}
    for label, counts in zip(names, report.confusion.counts, strict=True):
        wrong = sorted(((n, name) for n, name in zip(counts, names, strict=True) if n and name != label), reverse=True)
        rows[label] = ", ".join(f"{name} {n}" for n, name in wrong[:2])
    return rows


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
