"""The commands that look: what came in and what was kept, each image, and a page of the kept ones."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import click
from sqlalchemy import Engine

from posterbot.catalogue.display import print_funnel, sighting_line
from posterbot.catalogue.queries import funnel, sightings
from posterbot.cli_asking import Failure, ask, catalogue_option, run_option, store_option
from posterbot.reasons import Reason


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@run_option
@catalogue_option
def stats(as_json: bool, run: int | str | None, url: str) -> None:
    """Show the funnel: pages, candidates, fetched, scored, kept; and why the others were dropped."""
    answer = ask(url, run, funnel)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(answer), indent=2, default=lambda value: value.isoformat()))
        return
    print_funnel(answer)


@click.command()
@click.option("--verdict", type=click.Choice(["kept", "dropped"]), help="Only images with this verdict.")
@click.option("--reason", type=click.Choice([str(reason) for reason in Reason]), metavar="R", help="Only this reason.")
@run_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N lines.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, with all that is known.")
@catalogue_option
def ls(
    verdict: str | None, reason: str | None, run: int | str | None, limit: int | None, as_json: bool, url: str
) -> None:
    """List the images seen, one line each, in the order they were recorded.

    Columns: verdict, reason, label, score (summed probability of the policy's labels), size in pixels, bytes, URL.
    """

    def print_all(engine: Engine, number: int | None) -> None:
        for sighting in sightings(engine, verdict=verdict, reason=reason, run=number, limit=limit):
            click.echo(json.dumps(dataclasses.asdict(sighting)) if as_json else sighting_line(sighting))

    ask(url, run, print_all)


@click.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("contact-sheet.html"),
    show_default=True,
    help="The page to write.",
)
@run_option
@click.option("--limit", type=click.IntRange(min=1), default=300, show_default=True, help="At most so many images.")
@store_option
@catalogue_option
def sheet(out: Path, run: int | str | None, limit: int, uri: str, url: str) -> None:
    """Write a contact sheet: one HTML page, complete in itself, with the kept images."""
    from posterbot.stores.opening import open_store
    from posterbot.stores.store import StoreError
    from posterbot.web.contact_sheet import write_contact_sheet

    try:
        images = open_store(uri, os.environ, "--store")
    except StoreError as error:
        raise Failure(str(error)) from None
    try:
        number = ask(url, run, lambda engine, of: write_contact_sheet(engine, images, out, of, limit))
    except OSError as error:
        raise Failure(f"cannot write {out}: {error.strerror or error}") from None
    finally:
        images.close()
    click.echo(f"{number:,} {'image' if number == 1 else 'images'} in {out}")
