"""The command that finds what looks like a picture."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import Engine

from posterbot.catalogue.display import printable
from posterbot.cli_asking import Failure, ask, catalogue_option, store_option
from posterbot.cli_progress import Shown

if TYPE_CHECKING:
    from posterbot.similarity.similar import Answer, Answers

MOST = 1000
"""Neighbours."""
LONGEST = 50
"""Signs of a title on a line."""


@click.command()
@click.argument("image", metavar="IMAGE")
@click.option("-k", "number", type=click.IntRange(1, MOST), default=12, show_default=True, help="So many neighbours.")
@click.option(
    "--html", "out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write them as a page, too."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per neighbour, with all that is known.")
@click.option(
    "--model",
    metavar="NAME|HASH|PATH",
    help="Whose embeddings are compared. Default: those of the newest policy's model.",
)
@click.option(
    "--index",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the index is kept. Default: beside the catalogue's file, or in data/.",
)
@store_option
@catalogue_option
def similar(
    image: str, number: int, out: Path | None, as_json: bool, model: str | None, file: Path | None, uri: str, url: str
) -> None:
    """List the images that look most like IMAGE: a file, or the sha256 (its first 8 digits) of one in the catalogue.

    Columns: rank, similarity (cosine of the embeddings, at most 1), verdict, sha256, host, film, URL.
    """
    from posterbot.similarity.index import index_file
    from posterbot.similarity.similar import similar as find_similar
    from posterbot.similarity.vectors import ForeignError

    def find(engine: Engine, _: int | None) -> Answers:
        lies = file or index_file(engine)
        try:
            with Shown() as shown:
                return find_similar(
                    engine,
                    image,
                    number,
                    lies,
                    model,
                    shown.at,
                    lambda line: click.echo(f"posterbot: {line}", err=True),
                )
        except OSError as error:
            where = error.filename or lies
            raise Failure(f"cannot write the index {where}: {error.strerror or error}; give another --index") from None
        except ForeignError as error:
            raise Failure(str(error)) from None

    answers = ask(url, None, find)
    for answer in answers.nearest:
        click.echo(json.dumps(_told(answer)) if as_json else _line(answer))
    if not answers.nearest:
        click.echo("no other image has an embedding", err=True)
    if out is not None:
        _write(answers, uri, out)


def _told(answer: Answer) -> dict[str, Any]:
    return {"rank": answer.rank, "similarity": answer.similarity, **asdict(answer.image)}


def _line(answer: Answer) -> str:
    known = answer.image
    film = (known.title or "")[:LONGEST] + (f" ({known.year})" if known.title and known.year else "")
    return printable(
        f"{answer.rank:>4}  {answer.similarity:.3f}  {known.verdict or '':<7}  {known.sha256[:16]}  "
        f"{known.host or '':<24}  {film or '-':<32}  {known.url or ''}"
    )


def _write(answers: Answers, uri: str, out: Path) -> None:
    from posterbot.stores.opening import open_store
    from posterbot.stores.store import StoreError
    from posterbot.web.similar_page import write_similar_page

    try:
        store = open_store(uri, os.environ, "--store")
    except StoreError as error:
        raise Failure(str(error)) from None
    try:
        write_similar_page(answers, store, out)
    except OSError as error:
        raise Failure(f"cannot write {out}: {error.strerror or error}") from None
    finally:
        store.close()
    click.echo(
        f"{len(answers.nearest):,} {'neighbour' if len(answers.nearest) == 1 else 'neighbours'} in {out}", err=True
    )
