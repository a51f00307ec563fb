"""The ``posterbot`` command: one function, one command, one question to the catalogue.

Starts without Scrapy, Twisted and TensorFlow. Exit codes: 0, 1 for a failure (one line on stderr), 2 for a wrong
command line.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from importlib import import_module
from pathlib import Path

import click
from sqlalchemy import Engine

from posterbot import __version__
from posterbot.catalogue.display import print_funnel, sighting_line
from posterbot.catalogue.queries import funnel, sightings
from posterbot.cli_asking import Failure, ask, catalogue_option, run_option, store_option
from posterbot.reasons import Reason

_ELSEWHERE = {
    "crawls": "cli_crawls",
    "diff": "cli_rebuild",
    "duplicates": "cli_duplicates",
    "export": "cli_export",
    "films": "cli_films",
    "forget": "cli_forget",
    "fsck": "cli_stores",
    "hosts": "cli_crawls",
    "learn": "cli_learn",
    "policies": "cli_steer",
    "rebuild": "cli_rebuild",
    "recheck": "cli_recheck",
    "rejudge": "cli_rejudge",
    "retry": "cli_crawls",
    "serve": "cli_serve",
    "similar": "cli_similar",
    "steer": "cli_steer",
    "sync": "cli_stores",
    "terms": "cli_terms",
}
"""Name of a command, and of the function → its module, which is imported when it is asked for."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(f"posterbot.{_ELSEWHERE[cmd_name]}"), cmd_name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="posterbot", message="%(prog)s %(version)s")
def cli() -> None:
    """Look into a catalogue of images: how many came in, what was kept, and why; and see to its crawls."""


@cli.command()
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


@cli.command()
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


@cli.command()
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


def main() -> None:
    """Entry point. A reader that goes away early (``| head``) ends the command in silence: Click sees to it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows "?" instead of a traceback
    cli()


if __name__ == "__main__":
    main()
