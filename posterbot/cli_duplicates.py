"""The command that finds which images are the same picture, and shows them."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy import Engine

from posterbot.catalogue.display import printable, size
from posterbot.cli_asking import Failure, ask, catalogue_option, number_of, store_option
from posterbot.cli_progress import Shown

if TYPE_CHECKING:
    from posterbot.duplicates.overview import Cluster, Totals
    from posterbot.duplicates.update import Updated


@click.command()
@click.option(
    "--html",
    "out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with the largest clusters, complete in itself.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@click.option(
    "--kind",
    type=click.Choice(["copy", "variant"]),
    default="copy",
    show_default=True,
    help="Clusters of copies, or of variants, which hold those of copies.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="At most N clusters."
)
@store_option
@catalogue_option
def duplicates(out: Path | None, as_json: bool, kind: str, limit: int, uri: str, url: str) -> None:
    """Find which images are the same picture, and show the largest clusters of them.

    A copy is the same picture re-encoded, resized, slightly cropped or framed; a variant has other lettering, colours
    or edges. What has come since the last time is compared with all that was there. It can be stopped and run again.
    """
    from posterbot.duplicates.overview import largest, totals

    def look(engine: Engine) -> tuple[Updated, Totals, list[Cluster]]:
        return bring_up_to_date(engine), totals(engine), largest(engine, kind, limit)

    updated, counts, found = ask(url, None, lambda engine, _: look(engine))
    if out is not None:
        _write_page(out, uri, kind, counts, found)
    if as_json:
        answer = {
            "updated": dataclasses.asdict(updated),
            "totals": dataclasses.asdict(counts),
            "clusters": [dataclasses.asdict(cluster) for cluster in found],
        }
        click.echo(json.dumps(answer, indent=2))
        return
    for line in _told(counts):
        click.echo(line)
    for cluster in found:
        click.echo(_line(cluster))
    if out is not None:
        click.echo(f"{number_of(len(found), 'cluster')} in {out}")


def bring_up_to_date(engine: Engine) -> Updated:
    """Update the clusters, and show how far it has come; waits for another process that does the same."""
    from posterbot.duplicates.update import update

    with Shown() as shown:
        return update(engine, wait=True, progress=lambda done, of: shown.at("compared", done, of))


def _write_page(out: Path, store: str, kind: str, counts: Totals, found: list[Cluster]) -> None:
    from posterbot.stores.opening import open_store
    from posterbot.stores.store import StoreError
    from posterbot.web.duplicates_page import write_duplicates_page

    try:
        images = open_store(store, os.environ, "--store")
    except StoreError as error:
        raise Failure(str(error)) from None
    try:
        write_duplicates_page(out, images, kind, counts, found)
    except OSError as error:
        raise Failure(f"cannot write {out}: {error.strerror or error}") from None
    finally:
        images.close()


def _told(counts: Totals) -> list[str]:
    lines = [f"{number_of(counts.images, 'image')} compared"]
    for name, number, in_them in (
        ("copies", counts.copies, counts.in_copies),
        ("variants", counts.variants, counts.in_variants),
    ):
        lines.append(f"{number_of(number, 'cluster')} of {name}, with {number_of(in_them, 'image')}")
    lines.append(
        f"one of each picture would save {counts.saved:,} of {counts.stored:,} stored images, "
        f"{size(counts.saved_bytes)}"
    )
    return lines


def _line(cluster: Cluster) -> str:
    """Name, number, the representative's size and address, and the hosts."""
    best = cluster.members[0]
    pixels = f"{best.width}x{best.height}"
    hosts = f"  ({', '.join(cluster.hosts)})" if cluster.hosts else ""
    return printable(f"{cluster.name}  {cluster.images:>6,}  {pixels:>11}  {best.url}{hosts}")
