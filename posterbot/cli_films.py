"""The commands about films: which there are, which picture shows which, and tables that tell more of them."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.status import Status
from rich.table import Table
from sqlalchemy import Engine

from posterbot.catalogue.display import printable
from posterbot.cli_asking import Failure, ask, catalogue_option
from posterbot.cli_progress import LOG_SECONDS

if TYPE_CHECKING:
    from posterbot.films.importing import Imported
    from posterbot.films.link import Linked

_PLAIN_WIDTH = 140


@click.group()
def films() -> None:
    """Which films the pictures show."""


@films.command("link", short_help="Find the film of every picture.")
@catalogue_option
def link_command(url: str) -> None:
    """Find the film of every picture, as far as pages, lists and imported tables allow.

    An export does it by itself. Only what is new is looked at.
    """
    from posterbot.films.link import link

    def answer(engine: Engine, _: int | None) -> Linked:
        with _Doing() as doing:
            return link(engine, doing.at)

    for line in _linked_lines(ask(url, None, answer)):
        click.echo(line)


@films.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--all", "all_rows", is_flag=True, help="Take every row of IMDb's table, not only those that matter here."
)
@catalogue_option
def import_command(file: Path, all_rows: bool, url: str) -> None:
    """Import a table of films, then link.

    FILE is title.basics.tsv(.gz) of IMDb, links.csv of MovieLens, or a CSV or TSV with a header that has some of
    imdb_id, tmdb_id, wikidata_id, title, year, genres, directors; a row with sha256, url or path says which image of
    the catalogue shows the film. Importing it again changes nothing.
    """
    from posterbot.films.importing import import_table
    from posterbot.films.tables import TableError

    def answer(engine: Engine, _: int | None) -> Imported:
        with _Doing() as doing:
            return import_table(engine, file, all_rows=all_rows, progress=doing.at)

    try:
        done = ask(url, None, answer)
    except TableError as error:
        raise Failure(printable(str(error))) from None
    for line in _imported_lines(done, file):
        click.echo(line)
    for bad in done.first_bad:
        click.echo(printable(f"{file}:{bad.line}: {bad.why}"), err=True)
    if done.bad > len(done.first_bad):
        click.echo(f"and {done.bad - len(done.first_bad):,} more rows that cannot be read", err=True)
    if done.broken:
        raise Failure(printable(f"{done.broken}; what came before is imported"))


@films.command("ls", short_help="List the films, those with most pictures first.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N films.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@catalogue_option
def ls_command(limit: int | None, as_json: bool, url: str) -> None:
    """List the films, those with most pictures first: number of pictures, title, year, genres, ids elsewhere."""
    from posterbot.films.listing import list_films

    def print_all(engine: Engine, _: int | None) -> None:
        number = 0
        for number, film in enumerate(list_films(engine, limit), 1):  # noqa: B007
            if as_json:
                click.echo(json.dumps(dataclasses.asdict(film)))
                continue
            ids = " ".join(f"{scheme}:{value}" for scheme, value in film.ids.items())
            title = film.title or "(no title)"
            year = str(film.year or "")
            click.echo(
                printable(f"{film.images:>6}  {title:<40}  {year:<4}  {', '.join(film.genres):<28}  {ids}".rstrip())
            )
        if not number and not as_json:
            click.echo("no films are known here; find them with: posterbot films link")

    ask(url, None, print_all)


@films.command("conflicts", short_help="List what does not fit together.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@catalogue_option
def conflicts_command(as_json: bool, url: str) -> None:
    """List what does not fit together: pictures of two films, ids of two films, films that were found to be one."""
    from posterbot.films.conflicts import conflicts

    def print_all(engine: Engine, _: int | None) -> None:
        if as_json:
            for conflict in conflicts(engine):
                click.echo(json.dumps(dataclasses.asdict(conflict)))
            return
        console = Console(markup=False, highlight=False, emoji=False)
        if not console.is_terminal:
            console.width = _PLAIN_WIDTH
        table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
        for name in ("about", "film", "image", "what"):
            table.add_column(name, overflow="fold")
        for conflict in conflicts(engine):
            film = "" if conflict.film is None else f"{conflict.title} ({conflict.year})"
            table.add_row(conflict.kind, printable(film), (conflict.sha256 or "")[:12], printable(conflict.detail))
        console.print(table) if table.row_count else click.echo("no conflicts")

    ask(url, None, print_all)


def _linked_lines(linked: Linked) -> list[str]:
    changed = linked.changed
    details = [
        f"{number:,} {what}"
        for number, what in (
            (changed.new, "new"),
            (changed.merged, "found to be others"),
            (linked.links, "links changed"),
        )
        if number
    ]
    known = f"{linked.films:,} films are known, {linked.images:,} images linked"
    lines = [known + (f" ({', '.join(details)})" if details else "")]
    if linked.conflicts:
        lines.append(f"conflicts: {linked.conflicts:,}; to see them: posterbot films conflicts")
    return [*lines, _rows_changed(linked.rows)]


def _imported_lines(done: Imported, file: Path) -> list[str]:
    lines = [printable(f"{file}: {done.kind}; {done.rows:,} rows read, {done.taken:,} taken")]
    if done.images or done.unknown_images:
        lines.append(f"{done.images:,} rows name an image that is here, {done.unknown_images:,} one that is not")
    assert done.linked is not None
    return [*lines, *_linked_lines(done.linked)[:-1], _rows_changed(done.changed)]


def _rows_changed(number: int) -> str:
    return f"{number:,} {'row' if number == 1 else 'rows'} changed"


class _Doing:
    """Says on stderr what is done, and how far it has come."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic, self._at = monotonic, monotonic()
        self._status: Status | None = None

    def __enter__(self) -> _Doing:
        if sys.stderr.isatty():
            self._status = Console(stderr=True, markup=False, highlight=False).status("")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def at(self, doing: str, number: int) -> None:
        """So far it has come."""
        if self._status is not None:
            self._status.update(f"{doing}: {number:,}")
        elif self._monotonic() - self._at >= LOG_SECONDS:
            self._at = self._monotonic()
            click.echo(f"{doing}: {number:,}", err=True)
