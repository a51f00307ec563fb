"""The command that asks whether what is kept still has its consent, and proposes what to forget."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, select

from posterbot.catalogue.held import number_held
from posterbot.catalogue.schema import workers
from posterbot.cli_asking import Failure, Run, ask, catalogue_option, reports_option
from posterbot.cli_crawls import crawl_command
from posterbot.frontier.operate import Refusal, ToResume, at_work, run_row
from posterbot.page.consent import shortened

SHOWN = 50
"""Rows of the table; the file has all."""
AT_ONCE = 20
"""Images in one command to forget them."""


@click.command()
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
@click.option("--run", type=Run(), help="Only images that this run saw; 'last' is the newest. Default: all runs.")
@click.option("--host", metavar="H", help="Only images that lie on this host, or were seen on it.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N images.")
@reports_option
@catalogue_option
def recheck(
    more: tuple[str, ...], run: int | str | None, host: str | None, limit: int | None, reports: Path, url: str
) -> None:
    """Ask all kept images, their pages and hosts again whether they may be used, and propose what to forget.

    Nothing is changed. Exit code: 0 if all may stay, 1 if something should be forgotten. Settings come from the
    environment, or stand after "--", as in: posterbot recheck -- -s OPERATOR_CONTACT=you@example.org
    """
    host = None if host is None else host.strip().strip("[]").lower()

    def look(engine: Engine, number: int | None) -> tuple[int, int | None]:
        if number is not None:
            with engine.connect() as connection:
                run_row(connection, number)
        refuse_beside_a_crawl(engine)
        return number_held(engine, number, host), number

    images, number = ask(url, run, look)
    if not images:
        click.echo("no images are kept here")
        return
    out = reports.absolute() / f"recheck-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z.jsonl"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"cannot write {out}: {error.strerror}") from None
    given = {"run": number, "host": host, "limit": limit, "out": out}
    arguments = {name: str(value) for name, value in given.items() if value is not None}
    command, environment = crawl_command(ToResume(0, "recheck", arguments, ()), url, more)
    end = _run(command, environment)
    if end["problem"]:
        raise Failure(end["problem"])
    _print_proposals(out)
    click.echo(
        f"{end['stands']:,} of {sum(end[name] for name in _STATUSES):,} images may stay; "
        f"{end['withdrawn']:,} should be forgotten, {end['gone']:,} are gone from where they were, "
        f"{end['unknown']:,} could not be asked"
    )
    if end["stands"] < sum(end[name] for name in _STATUSES):
        click.echo(f"all that do not stand: {out}")
    else:
        out.unlink()
    if end["end"] != "finished":
        raise Failure(f"stopped before its end ({end['end']}): not all images were asked about")
    if end["withdrawn"]:
        raise SystemExit(1)


_STATUSES = ("stands", "withdrawn", "gone", "unknown")


def refuse_beside_a_crawl(engine: Engine) -> None:
    """Raises Refusal where a crawl is at work: together they would ask a host more often than promised."""
    with engine.connect() as connection:
        unended = select(workers.c.run_id).where(workers.c.ended_at.is_(None)).distinct()
        found = list(connection.scalars(unended.order_by(workers.c.run_id)))
    for run in found:
        working = at_work(engine, run)
        if any(worker.sure for worker in working):
            raise Refusal(f"run {run} is at work, and would ask the same hosts; first: posterbot crawls stop {run}")
        for worker in working:
            click.echo(f"run {run}: if {worker} still lives, it asks the same hosts", err=True)


def _run(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """Run it; gives its last word. Ctrl-C reaches it as well, and then it has a few seconds to end."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        while True:
            try:
                said, _ = process.communicate()
                break
            except KeyboardInterrupt:
                continue
    lines = (said or "").strip().splitlines()
    if process.returncode or not lines:
        raise Failure(f"it ended with exit code {process.returncode}; the reason stands above")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _print_proposals(out: Path) -> None:
    """The images that should be forgotten, and the commands that do it."""
    shown = list(islice(_withdrawn(out), SHOWN + 1))
    if not shown:
        return
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 160
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for name in ("image", "where", "because"):
        table.add_column(name, overflow="fold")
    for line in shown[:SHOWN]:
        table.add_row(line["sha256"][:12], shortened(line["url"], 60), shortened(line["why"], 200))
    console.print(table)
    if len(shown) > SHOWN:
        console.print(f"and more: {out}")
    console.print("to forget them:")
    images = (line["sha256"] for line in _withdrawn(out))
    while some := list(islice(images, AT_ONCE)):
        click.echo("posterbot forget " + " ".join(f"--sha256 {sha256}" for sha256 in some))


def _withdrawn(out: Path) -> Iterator[dict[str, Any]]:
    with out.open(encoding="utf-8") as file:
        for text in file:
            line: dict[str, Any] = json.loads(text)
            if line["status"] == "withdrawn":
                yield line
