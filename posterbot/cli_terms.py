"""The command that shows and records what sources allow."""

from __future__ import annotations

import dataclasses
import json
from typing import Any
from urllib.parse import urlsplit

import click
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from posterbot.catalogue.display import printable
from posterbot.catalogue.terms import MAX_TEXT, NAMES, SourceError, SourceTerms, list_terms, set_terms, terms_of
from posterbot.cli_asking import ask, catalogue_option

_ANSWERS = {"yes": True, "no": False, "unknown": None}
_PLAIN_WIDTH = 160


class _Days(click.ParamType):  # type: ignore[type-arg]  # generic only in newer Click
    """A number of days, or ``unknown``."""

    name = "N|unknown"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """An int, or the word."""
        if value == "unknown" or isinstance(value, int):
            return value  # type: ignore[no-any-return]
        if str(value).isascii() and str(value).isdecimal() and 0 < int(value) < 100_000:
            return int(value)
        return self.fail(f"{value!r} is neither a number of days nor 'unknown'", param, ctx)


_answer = click.Choice(list(_ANSWERS))


@click.command()
@click.argument("source", required=False)
@click.option("--ml-allowed", type=_answer, help="May its images be used to train models?")
@click.option("--redistributable", type=_answer, help="May its images be passed on?")
@click.option("--attribution", metavar="TEXT", help="What has to be said where they are shown; '' for nothing.")
@click.option("--max-age-days", type=_Days(), help="They may be kept no longer.")
@click.option("--terms-url", metavar="URL", help="Where that can be read; '' for nowhere.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each source.")
@catalogue_option
def terms(
    source: str | None,
    ml_allowed: str | None,
    redistributable: str | None,
    attribution: str | None,
    max_age_days: int | str | None,
    terms_url: str | None,
    as_json: bool,
    url: str,
) -> None:
    """Show what sources allow, or record what you have read in the terms of SOURCE, a host or a domain.

    What holds for example.org holds for images.example.org too, unless that has its own. Unknown is not allowed.
    """
    changes: dict[str, Any] = {}
    if ml_allowed is not None:
        changes["ml_allowed"] = _ANSWERS[ml_allowed]
    if redistributable is not None:
        changes["redistributable"] = _ANSWERS[redistributable]
    if max_age_days is not None:
        changes["max_age_days"] = None if max_age_days == "unknown" else max_age_days
    if attribution is not None:
        changes["attribution"] = _text(attribution, "--attribution")
    if terms_url is not None:
        changes["terms_url"] = _address(terms_url)
    if changes and source is None:
        raise click.UsageError("say of which SOURCE these are the terms")

    def answer(engine: Engine, _: int | None) -> list[SourceTerms]:
        if source is None:
            return list(list_terms(engine))
        try:
            return [set_terms(engine, source, changes) if changes else terms_of(engine, source)]
        except SourceError as error:
            raise click.UsageError(str(error)) from None

    found = ask(url, None, answer)
    if as_json:
        for one in found:
            click.echo(json.dumps(dataclasses.asdict(one)))
    elif source is not None:
        for line in _lines(found[0]):
            click.echo(line)
    elif found:
        _print(found)
    else:
        click.echo("no images were seen yet")


def _text(text: str, option: str) -> str | None:
    text = text.strip()
    if len(text) > MAX_TEXT or not text.isprintable():
        raise click.BadParameter(f"one line of at most {MAX_TEXT:,} characters, please", param_hint=option)
    return text or None


def _address(text: str) -> str | None:
    address = _text(text, "--terms-url")
    try:
        good = address is None or (
            urlsplit(address).scheme in {"http", "https"} and bool(urlsplit(address).hostname) and " " not in address
        )
    except ValueError:
        good = False
    if not good:
        raise click.BadParameter("write it whole, as https://example.org/terms", param_hint="--terms-url")
    return address


def _said(value: object) -> str:
    return (
        {True: "yes", False: "no", None: "unknown"}[value] if value is None or isinstance(value, bool) else str(value)
    )


def _lines(one: SourceTerms) -> list[str]:
    lines = [f"{one.source}: {one.images:,} {'image' if one.images == 1 else 'images'}"]
    for name in NAMES:
        own, value = getattr(one.own, name), getattr(one.effective, name)
        where = "" if own is not None or value is None else "   (of its domain, or known to the program)"
        lines.append(printable(f"  {name:<16} {_said(value)}{where}"))
    return lines


def _print(found: list[SourceTerms]) -> None:
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for name in ("source", "images", "training", "passing on", "days", "attribution", "terms"):
        table.add_column(name, overflow="fold", justify="right" if name in {"images", "days"} else "left")
    for one in found:
        holds = one.effective
        days = "" if holds.max_age_days is None else str(holds.max_age_days)
        texts = (printable(text or "") for text in (holds.attribution, holds.terms_url))
        answers = (_said(holds.ml_allowed), _said(holds.redistributable))
        table.add_row(printable(one.source), f"{one.images:,}", *answers, days, *texts)
    console.print(table)
