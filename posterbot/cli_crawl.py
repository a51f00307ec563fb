"""``posterbot crawl``: Scrapy's crawl with posterbot's settings, from any folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from click.shell_completion import CompletionItem

ARGUMENTS = {
    "labels": "what to keep, with commas between; poster",
    "threshold": "keep from this probability on, or precision=0.95; 0.5",
    "top": "keep where a wanted label is among the N likeliest; not asked",
    "model": "a name, folder, file or TensorFlow Hub address; web-images",
    "start": "URLs with commas between, a file of them, or sample; sample",
    "urls": "a list of images or pages: .txt, .csv, .jsonl, .parquet; none",
    "domains": "follow links only within these, with commas between; any",
    "since": "read again only pages older than 7d, 12h, now, or a date; all",
}
"""What the spider takes by ``-a`` → what it means."""


def _completed(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [
        CompletionItem(f"{name}=", help=meaning) for name, meaning in ARGUMENTS.items() if name.startswith(incomplete)
    ]


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog="\b\nArguments; behind the semicolon, what they are if not given:\n"
    + "\n".join(f"  {name:<10} {meaning}" for name, meaning in ARGUMENTS.items())
    + "\n\nSettings that are asked for most: OPERATOR_CONTACT, IMAGES_STORE, CATALOGUE_URL; all three may stand in the"
    " environment instead.",
)
@click.option(
    "-a", "arguments", multiple=True, metavar="NAME=VALUE", shell_complete=_completed, help="An argument; see below."
)
@click.option("-s", "settings", multiple=True, metavar="NAME=VALUE", help="A setting, of posterbot or of Scrapy.")
@click.argument("more", nargs=-1, type=click.UNPROCESSED, metavar="")
def crawl(arguments: tuple[str, ...], settings: tuple[str, ...], more: tuple[str, ...]) -> None:
    """Crawl the sample site that ships with posterbot, or what -a start= or -a urls= name.

    The same command goes on with a crawl that was stopped. It is "scrapy crawl posters", which may be typed as well
    where a scrapy.cfg or SCRAPY_SETTINGS_MODULE leads to posterbot's settings; other options are passed on to it.
    """
    if more and not more[0].startswith("-"):
        raise click.UsageError(f"unexpected {more[0]!r}: what to crawl is said by -a start= or -a urls=")
    given = [
        word for option, values in (("-a", arguments), ("-s", settings)) for value in values for word in (option, value)
    ]
    # -P: modules come from where they are installed, not from the folder in which somebody happens to be.
    command = [sys.executable, "-P", "-m", "scrapy", "crawl", "posters", *given, *more]
    sys.stdout.flush()
    os.execve(sys.executable, command, with_settings())


def with_settings() -> dict[str, str]:
    """This environment, in which Scrapy finds settings: those of the project one is in, or else posterbot's."""
    environment = dict(os.environ)
    here = Path.cwd()
    if not any((folder / "scrapy.cfg").is_file() for folder in (here, *here.parents)):
        environment.setdefault("SCRAPY_SETTINGS_MODULE", "posterbot.settings")
    return environment
