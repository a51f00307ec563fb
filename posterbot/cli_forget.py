"""The command that forgets: images, pages, hosts and films, with all that is known of them."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import click
from sqlalchemy import Engine

from posterbot.catalogue.display import size
from posterbot.catalogue.stored import machines_of_runs, stores_of_runs
from posterbot.cli_asking import DEFAULT_STORE, Failure, ask, catalogue_option, reports_option, spool_option
from posterbot.frontier.workers import machine
from posterbot.stores.opening import open_store
from posterbot.stores.store import Store, StoreError, UnavailableError
from posterbot.upkeep.forget import ElsewhereError, Forgot
from posterbot.upkeep.forget import forget as forget_all
from posterbot.upkeep.forget_rows import Found, Wanted, find, read_wanted


class _Unasked(Failure):
    """There is no terminal to ask on."""

    exit_code = 2


@click.command()
@click.option("--url", "urls", metavar="URL", multiple=True, help="An image, or a page with all its images.")
@click.option("--host", "hosts", metavar="HOST", multiple=True, help="All pages and images on HOST, or on HOST:PORT.")
@click.option("--sha256", "sha256s", metavar="HEX", multiple=True, help="The image with these bytes.")
@click.option("--film", "films", metavar="TITLE|tt…", multiple=True, help="A film, by its whole title or IMDb id.")
@click.option("--dry-run", is_flag=True, help="Say how much it would be, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--store",
    "uris",
    metavar="URI",
    multiple=True,
    help=f"Where the images are; several where runs had several. [env var: IMAGES_STORE; default: {DEFAULT_STORE}]",
)
@spool_option
@reports_option
@catalogue_option
def forget(
    urls: tuple[str, ...],
    hosts: tuple[str, ...],
    sha256s: tuple[str, ...],
    films: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    uris: tuple[str, ...],
    spool: Path,
    reports: Path,
    url: str,
) -> None:
    """Delete images with their bytes and all that was recorded of them, wherever they were seen.

    Only hashes stay, by which a later crawl knows what it must not fetch again. It says first how much it is, and asks.
    Interrupted, it is finished by the same command. A crawl may go on meanwhile.
    """
    try:
        wanted = read_wanted(urls, hosts, sha256s, films)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if wanted == Wanted():
        raise click.UsageError("say what to forget: --url, --host, --sha256 or --film")
    if not (dry_run or yes or _on_a_terminal()):
        raise _Unasked("nobody can be asked here: look with --dry-run, then add --yes")

    def answer(engine: Engine, _: int | None) -> None:
        found = find(engine, wanted)
        if dry_run:
            click.echo(f"it would delete {_amount(found)}")
            return
        with ExitStack() as opened:
            stores = [_opened(opened, uri) for uri in uris or (os.environ.get("IMAGES_STORE") or DEFAULT_STORE,)]
            _warn(engine, found, [store.name for store in stores])
            if not yes:
                click.echo(f"to be deleted: {_amount(found)}")
                click.confirm("for ever?", abort=True)
            done = forget_all(engine, found, stores, spool, reports)
        for line in _report(found, done):
            click.echo(line)

    try:
        ask(url, None, answer)
    except (StoreError, ElsewhereError) as error:
        raise Failure(str(error)) from None
    except UnavailableError as error:
        raise Failure(f"{error}; not all is deleted yet: run it again") from None
    except OSError as error:
        raise Failure(
            f"{error.filename}: {error.strerror}; not all is deleted yet: mend it, and run it again"
        ) from None


def _on_a_terminal() -> bool:
    return sys.stdin.isatty()


def _opened(opened: ExitStack, uri: str) -> Store:
    store = open_store(uri, os.environ, "--store")
    opened.callback(store.close)
    return store


def _warn(engine: Engine, found: Found, stores: list[str]) -> None:
    """What is not looked into, while it can still be given."""
    if not any(picture.bytes for picture in found.images.values()):
        return
    for other in sorted(set(stores_of_runs(engine)) - set(stores)):
        click.echo(f"runs have stored in {other} as well, which is left alone: add --store {other}", err=True)
    if machines := sorted(machines_of_runs(engine) - {machine().partition("/")[0]}):
        where = " and ".join(machines)
        click.echo(f"crawls ran on {where} too: what waits in a spool there is left alone", err=True)


def _amount(found: Found) -> str:
    pictures, others = len(found.images), found.elsewhere
    elsewhere = f" ({others:,} of them also seen elsewhere)" if others else ""
    seen, on = _number(found.sightings, "sighting"), _number(len(found.pages), "page")
    return f"{_number(pictures, 'image')}{elsewhere}, {seen}, {on}, {size(found.bytes)}"


def _report(found: Found, done: Forgot) -> list[str]:
    lines = [f"deleted: {_amount(found)}; {_number(done.objects, 'object')} in the store"]
    if not (found.images or found.sightings or found.pages):
        lines = ["nothing of it was there" + (", and it will not be fetched" if found.urls or _hashes(found) else "")]
    if done.sheets:
        lines.append(f"{_number(done.sheets, 'contact sheet')} written anew")
    if done.lost_sheets:
        lines.append(f"{_number(done.lost_sheets, 'contact sheet')} deleted; to have them again: posterbot sheet")
    if done.at_work:
        lines.append("a crawl is at work: what it had in hand may come back; run this again when it has ended")
    elif not done.log_cleared:
        lines.append("others have the catalogue open: until they close it, its -wal file may have what was deleted")
    return lines


def _hashes(found: Found) -> bool:
    return bool(found.wanted.hosts or found.wanted.sha256s)


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
