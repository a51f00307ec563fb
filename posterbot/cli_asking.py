"""What the commands have in common: how they are told the catalogue and the run, and how they say that they cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import click
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from posterbot.catalogue.database import CatalogueError, catalogue_error, open_catalogue
from posterbot.catalogue.queries import last_run
from posterbot.frontier.operate import Refusal

Answer = TypeVar("Answer")

DEFAULT_CATALOGUE = "sqlite:///data/catalogue.db"
DEFAULT_STORE = "data/images"
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


class Failure(click.ClickException):
    """Something outside is not as it should be: one line, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print ``posterbot: …`` on stderr."""
        click.echo(f"posterbot: {self.message}", file=file, err=file is None)


class Run(click.ParamType):  # type: ignore[type-arg]  # generic only in newer Click
    """A run's number, or ``last``."""

    name = "N|last"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """An int, or the word ``last``."""
        if value == "last" or (isinstance(value, int) and value > 0):
            return value  # type: ignore[no-any-return]
        if str(value).isascii() and str(value).isdecimal() and 0 < int(value) < 2**31:
            return int(value)
        return self.fail(f"{value!r} is neither a run's number nor 'last'", param, ctx)


catalogue_option = click.option(
    "--catalogue",
    "url",
    metavar="URL",
    envvar="CATALOGUE_URL",
    default=DEFAULT_CATALOGUE,
    show_default=True,
    show_envvar=True,
    help="sqlite:///FILE or postgresql://…",
)
store_option = click.option(
    "--store",
    "uri",
    metavar="URI",
    envvar="IMAGES_STORE",
    default=DEFAULT_STORE,
    show_default=True,
    show_envvar=True,
    help="Where the images are: a folder, gs://…, s3://…, ftp://…",
)
spool_option = click.option(
    "--spool",
    metavar="FOLDER",
    envvar="SPOOL",
    type=click.Path(path_type=Path),
    default=Path("data/spool"),
    show_default=True,
    show_envvar=True,
    help="Where images wait while a bucket does not answer.",
)
reports_option = click.option(
    "--reports",
    metavar="FOLDER",
    envvar="REPORTS",
    type=click.Path(path_type=Path),
    default=Path("data/runs"),
    show_default=True,
    show_envvar=True,
    help="Where runs leave what is for people to look at.",
)
run_option = click.option("--run", type=Run(), help="Only this run; 'last' is the newest. Default: all runs.")


def ask(url: str, run: int | str | None, question: Callable[[Engine, int | None], Answer]) -> Answer:
    """Put ``question`` to the catalogue at ``url``; whatever is wrong with it becomes a :class:`Failure`."""
    try:
        engine = open_catalogue(url, must_exist=True)
    except CatalogueError as error:
        raise Failure(str(error)) from None
    try:
        number = last_run(engine) if isinstance(run, str) else run
        if run == "last" and number is None:
            raise Failure("there is no run in this catalogue yet")
        return question(engine, number)
    except (LookupError, Refusal) as error:
        raise Failure(str(error)) from None
    except SQLAlchemyError as error:
        raise Failure(str(catalogue_error(engine, error))) from None
    finally:
        engine.dispose()


def ask_of_run(url: str, run: int | str, question: Callable[[Engine, int], Answer]) -> Answer:
    """As :func:`ask`, where it takes a run."""

    def of(engine: Engine, number: int | None) -> Answer:
        assert number is not None
        return question(engine, number)

    return ask(url, run, of)


def number_of(number: int, what: str) -> str:
    """``1 image``, ``2,000 images``."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")
