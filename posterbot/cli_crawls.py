"""The commands that operate crawls: list, resume and stop them, look at their hosts, try again what failed."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import sys
import time
from typing import Any

import click
from click.core import ParameterSource
from sqlalchemy import Engine, make_url

from posterbot.catalogue.database import shown
from posterbot.cli_asking import Failure, Run, ask, ask_of_run, catalogue_option
from posterbot.cli_crawl import with_settings
from posterbot.frontier import operate, retrying
from posterbot.frontier.display import print_crawls, print_failures, print_hosts
from posterbot.frontier.host_rows import host_rows
from posterbot.frontier.operate import AtWork, ToResume
from posterbot.frontier.pattern_table import TRAP
from posterbot.frontier.retrying import Queued
from posterbot.reasons import Reason

STOP_SECONDS = 15.0
"""How long ``crawls stop`` waits for the workers: they look once a second, and end within ten."""
LOOK_SECONDS = 0.2

lines_option = click.option("--json", "as_json", is_flag=True, help="One JSON object per line, with all that is known.")


@click.group(invoke_without_command=True)
@lines_option
@catalogue_option
@click.pass_context
def crawls(context: click.Context, as_json: bool, url: str) -> None:
    """List the runs, one line each: who works on them, what is done, what is left."""
    if context.invoked_subcommand is not None:
        return
    found = ask(url, None, lambda engine, _: operate.crawls(engine))
    if as_json:
        for crawl in found:
            _print_line(crawl)
    elif found:
        print_crawls(found)
    else:
        click.echo("no runs yet")


@crawls.command()
@click.argument("run", type=Run())
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
@catalogue_option
@click.pass_context
def resume(context: click.Context, run: int | str, more: tuple[str, ...], url: str) -> None:
    """Go on with a run, with the arguments it was begun with.

    Settings are not remembered: give them again in the environment, or after "--", as in:
    posterbot crawls resume last -- -s OPERATOR_CONTACT=you@example.org
    """
    url = _catalogue(context, url)
    found = ask_of_run(url, run, operate.to_resume)
    if found.at_work:
        click.echo(f"run {found.run} has {_named(found.at_work)} already; this is one more", err=True)
    command, environment = crawl_command(found, url, more)
    sys.stdout.flush()
    os.execvpe(command[0], command, environment)


def crawl_command(found: ToResume, url: str, more: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """The command line, and its environment: a password is not for the list of processes."""
    arguments = [word for name, value in found.arguments.items() for word in ("-a", f"{name}={value}")]
    command = [sys.executable, "-m", "scrapy", "crawl", found.spider, *arguments]
    environment = {**with_settings(), "CATALOGUE_URL": url}
    if not make_url(url).password:
        command += ["-s", f"CATALOGUE_URL={url}"]
    return [*command, *more], environment


@crawls.command(short_help="Stop a run in good order, all its workers.")
@click.argument("run", type=Run())
@click.option("--no-wait", is_flag=True, help="Ask the workers to stop, and do not wait until they have.")
@catalogue_option
@click.pass_context
def stop(context: click.Context, run: int | str, no_wait: bool, url: str) -> None:
    """Stop a run in good order, all its workers: what is under way has a few seconds to end."""

    def ask_and_wait(engine: Engine, number: int) -> str:
        working = operate.at_work(engine, number)
        if not working:
            return f"nobody works on run {number}"
        operate.ask_to_stop(engine, number)
        asked = f"run {number}: {_named(working)} asked to stop"
        if no_wait:
            return asked
        deadline = time.monotonic() + STOP_SECONDS
        while working := operate.at_work(engine, number):
            if time.monotonic() > deadline:
                raise Failure(
                    f"{asked}, but after {STOP_SECONDS:g} s these have not ended: "
                    + ", ".join(str(worker) if worker.sure else f"{worker} (it may be dead)" for worker in working)
                )
            time.sleep(LOOK_SECONDS)
        return f"run {number} has stopped; to go on: posterbot crawls resume {number}"

    click.echo(ask_of_run(_catalogue(context, url), run, ask_and_wait))


@click.command()
@click.option("--run", type=Run(), help="Count the URLs that wait of this run only; 'last' is the newest.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many hosts.")
@lines_option
@catalogue_option
def hosts(run: int | str | None, limit: int, as_json: bool, url: str) -> None:
    """List the hosts, those first where most URLs wait: what was asked of each, and how it is treated.

    Columns: URLs that wait; requests and bytes ever, and today (UTC); the gap between requests, and the Crawl-delay of
    its robots.txt; failed requests in a row; for how long it is left alone, and why; the process that has it on lease.
    """
    found, total = ask(url, run, lambda engine, number: host_rows(engine, number, limit))
    if as_json:
        for host in found:
            _print_line(host)
    elif found:
        print_hosts(found, total)
    else:
        click.echo("no hosts yet")


@click.command()
@click.option("--reason", "given", metavar="R,R,…", help="Why they failed; without it, those that occur are counted.")
@click.option("--host", metavar="H", help="Only pages and images on this host.")
@click.option("--run", type=Run(), default="last", show_default=True, help="Of this run; 'last' is the newest.")
@click.option("--dry-run", is_flag=True, help="Say what would be tried again, and change nothing.")
@catalogue_option
@click.pass_context
def retry(context: click.Context, given: str | None, host: str | None, run: int | str, dry_run: bool, url: str) -> None:
    """Try again what failed: pages, images, and for the reason "trap" patterns of URLs that were closed.

    The run is open again after this, and goes on where it is resumed.
    """
    host = None if host is None else host.strip().strip("[]").lower()

    def answer(engine: Engine, number: int) -> None:
        failed = retrying.failures(engine, number, host)
        if given is None:
            if failed:
                print_failures(failed)
            else:
                click.echo(f"nothing of run {number} has failed")
            return
        reasons = {reason.strip() for reason in given.split(",") if reason.strip()}
        unknown = sorted(reasons - failed.keys() - set(Reason) - {TRAP})
        if unknown or not reasons:
            occurring = ", ".join(f"{name} ({of.pages + of.images:,})" for name, of in failed.items())
            what = f"no reason {unknown[0]!r}" if unknown else "no reason given"
            raise Failure(f"{what}; in run {number} there are: {occurring or 'none'}")
        if Reason.OPTED_OUT in reasons:  # images are tried without their pages, and it may be these that say no
            raise Failure("what has opted out is not tried again; to read its pages anew: -a since=now")
        queued = retrying.retry(engine, number, reasons, host, dry_run=dry_run)
        for line in _report(queued, number, dry_run, _resume_words(context, url, number)):
            click.echo(line)

    ask_of_run(url, run, answer)


def _report(queued: Queued, run: int, dry_run: bool, resume: str) -> list[str]:
    images = queued.images
    of_pages = f" of {_number(images.pages, 'page')}" if images.pages else ""
    would = "would be " if dry_run else ""
    lines = [
        f"run {run}: {_number(queued.pages, 'page')} and {_number(images.images, 'image')}{of_pages} {would}queued"
    ]
    if queued.patterns:
        lines.append(f"{_number(queued.patterns, 'closed pattern')} {would}opened again")
    if images.busy:
        lines.append(f"images of {_number(images.busy, 'page')} are being fetched right now: of these, ask again later")
    if dry_run or not (queued.pages or images.images):
        return lines
    if any(worker.sure for worker in queued.at_work):
        return [*lines, f"taken up by {_named(queued.at_work)}"]
    if queued.at_work:
        lines.append(f"taken up by {_named(queued.at_work)} elsewhere, unless dead")
    return [*lines, f"to go on: {resume}"]


def _resume_words(context: click.Context, url: str, run: int) -> str:
    given = context.get_parameter_source("url") is ParameterSource.COMMANDLINE
    return f"posterbot crawls resume {run}" + (f" --catalogue {shlex.quote(shown(url))}" if given else "")


def _catalogue(context: click.Context, url: str) -> str:
    """``--catalogue`` may stand before the name of the subcommand as well."""
    parent = context.parent
    if parent is None or context.get_parameter_source("url") is ParameterSource.COMMANDLINE:
        return url
    before = parent.get_parameter_source("url") is ParameterSource.COMMANDLINE
    return str(parent.params["url"]) if before else url


def _named(workers: tuple[AtWork, ...]) -> str:
    return _number(len(workers), "worker")


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _print_line(row: Any) -> None:
    click.echo(json.dumps(dataclasses.asdict(row), default=lambda value: value.isoformat()))
