"""The commands that steer a running crawl, and show how it was steered."""

from __future__ import annotations

import dataclasses
import getpass
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from posterbot.catalogue.database import CatalogueError
from posterbot.cli_asking import Failure, ask, catalogue_option, run_option

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from posterbot.steering.client import Crawl

Answer = TypeVar("Answer")
_REJUDGED = ("judged", "newly_kept", "newly_dropped", "to_fetch", "unchanged")
WAIT_SECONDS = 3.0
"""A crawl that has just begun opens its remote control a moment after it is at work."""


@click.command()
@click.option("--labels", metavar="L,L,…", help="What to keep from now on.")
@click.option("--threshold", metavar="T", help="Keep from this probability on; or precision=0.95, recall=0.98.")
@click.option("--top", metavar="N", help="Only where a wanted label is among the N likeliest; 'none': do not ask that.")
@click.option("--model", metavar="NAME|PATH", help="Judge by this model; seconds later, when it is loaded.")
@click.option("--pause", "state", flag_value="pause", help="Take no new pages; what is in hand comes to its end.")
@click.option("--resume", "state", flag_value="resume", help="Take pages again.")
@click.option("--status", "wants_status", is_flag=True, help="Say how it goes; so does the command without options.")
@click.option("--rejudge", is_flag=True, help="Judge all that was seen before by the same policy, too.")
@click.option("--pid", type=click.IntRange(min=1), metavar="N", help="The process to steer, where several crawls run.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@catalogue_option
def steer(
    labels: str | None,
    threshold: str | None,
    top: str | None,
    model: str | None,
    state: str | None,
    wants_status: bool,
    rejudge: bool,
    pid: int | None,
    as_json: bool,
    url: str,
) -> None:
    """Change what a running crawl keeps, without stopping it; all its processes follow within a second.

    A wrong value is one line, and changes nothing. Each change is a numbered policy: posterbot policies.
    """
    from posterbot.steering import client

    crawls = _crawls(url, pid)
    first = crawls[0]
    said: dict[str, Any] = {"pid": first.pid, "run": first.run}
    if any(value is not None for value in (labels, threshold, top, model)):
        wanted: dict[str, Any] = {"labels": labels, "threshold": threshold, "model": model}
        if top is not None:
            wanted["top"] = None if top.strip().lower() in {"none", ""} else top
        author = getpass.getuser()
        said["policy"] = _steered(lambda: client.change(first, **wanted, author=author, origin="steer"))
    if state is not None:
        for crawl in crawls:  # of one run: each takes pages of its own
            _steered(lambda crawl=crawl: (client.pause if state == "pause" else client.resume)(crawl))  # type: ignore[misc]
        said["state"] = "paused" if state == "pause" else "crawling"
    if wants_status or len(said) == 2:
        said["status"] = [_steered(lambda crawl=crawl: client.status(crawl)) for crawl in crawls]  # type: ignore[misc]
    if rejudge:
        number = said["policy"]["number"] if "policy" in said else _number(first)
        said["rejudged"] = _rejudged(url, number)
    if as_json:
        click.echo(json.dumps(said, indent=2))
        return
    _print(said, crawls)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, with all that is known.")
@run_option
@catalogue_option
def policies(as_json: bool, run: int | str | None, url: str) -> None:
    """List the policies, one line each: who changed what and when, and how many images each has judged and kept."""
    from posterbot.catalogue.policies import policy_uses
    from posterbot.steering.display import print_policies

    found = ask(url, run, policy_uses)
    if as_json:
        for use in found:
            row = dataclasses.asdict(use)
            click.echo(json.dumps(row.pop("policy") | row, default=lambda value: value.isoformat()))
    elif found:
        print_policies(found)
    else:
        click.echo("no policies yet")


def _crawls(url: str, pid: int | None) -> list[Crawl]:
    """The process that was named, or all of the one run that is crawled."""
    from posterbot.steering.client import running, why_none

    deadline = time.monotonic() + WAIT_SECONDS
    try:
        while not (found := running(url)):
            why = why_none(url)
            if "job file" not in why or time.monotonic() > deadline:
                raise Failure(why)
            time.sleep(0.2)
    except CatalogueError as error:
        raise Failure(str(error)) from None
    of_pid = [crawl for crawl in found if pid in (None, crawl.pid)]
    listed = ", ".join(map(str, found))
    if not of_pid:
        raise Failure(f"process {pid} does not crawl into this catalogue; there is {listed}")
    if len({crawl.run for crawl in of_pid}) > 1:
        raise Failure(f"several crawls run: give one of them with --pid: {listed}")
    return of_pid


def _steered(call: Callable[[], Answer]) -> Answer:
    from posterbot.steering.client import SteerError

    try:
        return call()
    except (SteerError, CatalogueError) as error:
        raise Failure(str(error)) from None


def _number(crawl: Crawl) -> int:
    """Of the policy in force. One that is just being recorded has it in a moment."""
    from posterbot.steering.client import status

    while (number := _steered(lambda: status(crawl))["policy"]["number"]) is None:
        time.sleep(0.1)
    return int(number)


def _rejudged(url: str, number: int) -> dict[str, int]:
    """What policy ``number`` makes of the past."""
    from posterbot.cli_progress import Shown
    from posterbot.rejudge.rejudge import rejudge_with

    def judge(engine: Engine, _: int | None) -> dict[str, int]:
        with Shown() as shown:
            done = rejudge_with(engine, number, progress=lambda judged, of: shown.at("judged", judged, of))
        return {name: getattr(done, name) for name in _REJUDGED}

    return ask(url, None, judge)


def _print(said: dict[str, Any], crawls: list[Crawl]) -> None:
    from posterbot.steering.display import policy_text, status_text

    if "policy" in said:
        click.echo(f"run {said['run']}, {policy_text(said['policy'])}")
    if "state" in said:
        who = ", ".join(f"process {crawl.pid}" for crawl in crawls)
        click.echo(f"run {said['run']}, {who}: " + ("no new pages" if said["state"] == "paused" else "goes on"))
    for status in said.get("status", []):
        click.echo(status_text(status))
    if "rejudged" in said:
        past = said["rejudged"]
        kept = f"{past['newly_kept']:,} newly kept ({past['to_fetch']:,} to be fetched again)"
        dropped = f"{past['newly_dropped']:,} newly dropped, {past['unchanged']:,} as before"
        click.echo(f"the past: {past['judged']:,} judged, {kept}, {dropped}")
