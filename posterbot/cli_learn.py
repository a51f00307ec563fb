"""The command that learns from reviews."""

from __future__ import annotations

import dataclasses
import getpass
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from posterbot.catalogue.display import printable
from posterbot.cli_asking import Failure, ask, catalogue_option
from posterbot.cli_progress import Shown

if TYPE_CHECKING:
    from posterbot.review.learn import Learned

INTERRUPTED = 130


@click.command()
@click.option("--label", metavar="L", help="Learn this one: of the model's, or a word of your own. Default: all.")
@click.option("--name", metavar="NAME", help="Of the new model. Default: the label, and a number.")
@click.option("--apply", "use", is_flag=True, help="Have the crawl that is running go on with it, if it is better.")
@click.option(
    "--out",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data/models"),
    show_default=True,
    help="Where models are put, each in a folder of its name.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@catalogue_option
def learn(label: str | None, name: str | None, use: bool, out: Path, as_json: bool, url: str) -> None:
    """Fit a new head on all reviews, compare it with the old one on reviews it has not seen, and write it down.

    Exit code 1 where it is not better than the old one: then it is written, and never applied.
    """
    from posterbot.review.targets import LearnError

    try:
        learned, folder = ask(url, None, lambda engine, _: _learn(engine, label, name, out))
    except LearnError as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"cannot write {error.filename or out}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        click.echo("posterbot: interrupted: nothing was written", err=True)
        raise SystemExit(INTERRUPTED) from None
    if not as_json:
        _print(learned, folder)
    applied = _apply(url, folder, quiet=as_json) if use and learned.refused is None else []
    if as_json:
        click.echo(json.dumps(_as_json(learned, folder, applied)))
    if learned.refused is not None:
        raise Failure(f"not better, so not {'applied' if use else 'to be applied'}: {learned.refused}")


def _learn(engine: Engine, label: str | None, name: str | None, out: Path) -> tuple[Learned, Path]:
    from posterbot.review.learn import learn as fit
    from posterbot.review.learned import check_name, free_name, save

    if name is not None:
        check_name(name)
    with Shown() as shown:
        learned = fit(engine, label=label, progress=lambda number, of: shown.at(f"fit {number} of {of}:", number, of))
    called = free_name(out, label) if name is None else name
    folder = out / called
    save(folder, called, learned)
    return learned, folder


def _apply(url: str, folder: Path, *, quiet: bool) -> list[dict[str, Any]]:
    """Offer it to the crawls that run; gives the new policies."""
    from posterbot.steering import client

    applied = []
    for crawl in client.running(url):
        try:
            policy = client.change(crawl, model=str(folder.absolute()), author=getpass.getuser(), origin="learn")
        except client.SteerError as error:
            raise Failure(f"{crawl} goes on as before: {error}") from None
        applied.append(policy)
        if not quiet:
            click.echo(f"{crawl} goes on with it, by policy {policy.get('number')}")
        break  # the other processes of the run follow
    if not applied and not quiet:
        click.echo(f"no crawl is running that could take it; to begin with it: scrapy crawl posters -a model={folder}")
    return applied


def _print(learned: Learned, folder: Path) -> None:
    from posterbot.review.learned import HEADINGS, gains, table

    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 140
    rows = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for heading in HEADINGS:
        rows.add_column(heading, no_wrap=heading != "model")
    for row in table(learned):
        rows.add_row(*map(printable, row))
    console.print(rows)
    for line in gains(learned):
        click.echo(printable(line))
    if learned.without:
        click.echo(f"{learned.without:,} reviewed images have no features or scores of {learned.old.name}: left out")
    click.echo(f"model {folder}: {learned.reviewed:,} reviews, {learned.folds} folds; what it is: {folder / 'card.md'}")
    if learned.refused is None:
        click.echo(f"to judge the past by it: posterbot rejudge --model {folder}")


def _as_json(learned: Learned, folder: Path, applied: list[dict[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = _without_nan(
        {
            "folder": str(folder),
            "labels": list(learned.labels),
            "old": learned.old.name,
            "base": learned.base,
            "reviewed": learned.reviewed,
            "without_features": learned.without,
            "pool": learned.pool,
            "folds": learned.folds,
            "threshold": learned.threshold,
            "compared": [
                {"learned": target.learned, **dataclasses.asdict(figures)} for target, figures in learned.compared
            ],
            "refused": learned.refused,
            "applied": applied,
        }
    )
    return said


def _without_nan(value: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
