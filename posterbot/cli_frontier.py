"""The command that explains what a crawl fetches next."""

from __future__ import annotations

import dataclasses
import json

import click

from posterbot.cli_asking import Run, ask_of_run, catalogue_option


@click.command()
@click.option("--run", type=Run(), default="last", show_default=True, help="Of this run; 'last' is the newest.")
@click.option("--host", metavar="H", help="Only what is on this host.")
@click.option("--limit", type=click.IntRange(min=1), default=15, show_default=True, help="At most so many arms.")
@click.option(
    "--next", "number", type=click.IntRange(0, 1000), default=20, show_default=True, help="So many of the URLs next."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@catalogue_option
def frontier(run: int | str, host: str | None, limit: int, number: int, as_json: bool, url: str) -> None:
    """Show what the frontier has learned, and why the next URLs are next. Changes nothing; a crawl may be running.

    An arm is what was found in like places and looks alike on one host. Columns: what one request to it is worth, with
    all that it leads to; what may be hoped, as long as little is known; what it brought lately for each request, and
    ever; pages fetched, and URLs that wait.
    """
    from posterbot.frontier.arm_display import print_frontier
    from posterbot.frontier.explain import explain

    host = None if host is None else host.strip().strip("[]").lower()
    explained = ask_of_run(url, run, lambda engine, of: explain(engine, of, host=host, limit=limit, number=number))
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(explained), indent=2))
    elif explained.arms or explained.depths:
        print_frontier(explained)
    else:
        click.echo(f"nothing is in the frontier of run {explained.run}")
