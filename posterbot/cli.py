"""The ``posterbot`` command: one function, one command, one question to the catalogue.

Starts without Scrapy, Twisted and TensorFlow. Exit codes: 0, 1 for a failure (one line on stderr), 2 for a wrong
command line.
"""

from __future__ import annotations

import sys

import click

from posterbot import __version__
from posterbot.cli_sections import Sections

SECTIONS = {
    "Crawl": {
        "crawl": ("cli_crawl", "Crawl the sample site, a site of yours, or a list of URLs."),
        "crawls": ("cli_crawls", "List the runs; resume one, or stop one."),
        "hosts": ("cli_crawls", "List the hosts: what was asked of each, and how it is treated."),
        "frontier": ("cli_frontier", "Show what a crawl has learned, and why the next URLs are next."),
        "retry": ("cli_crawls", "Try again what failed."),
        "steer": ("cli_steer", "Change what a running crawl keeps, or pause it."),
        "policies": ("cli_steer", "List the policies: who changed what, and what each has kept."),
    },
    "Look": {
        "stats": ("cli_look", "Show the funnel: pages, candidates, fetched, scored, kept."),
        "ls": ("cli_look", "List the images seen, and why each was kept or dropped."),
        "sheet": ("cli_look", "Write a contact sheet: one page with the kept images."),
        "similar": ("cli_similar", "List the images that look most like one of them, or a file."),
        "serve": ("cli_serve", "Show it all as pages in a browser; steer and review there."),
    },
    "Decide": {
        "rejudge": ("cli_rejudge", "Judge all images again by another policy; nothing is fetched."),
        "learn": ("cli_learn", "Learn from reviews: fit a new head, and compare it."),
        "films": ("cli_films", "Say which films the pictures show; import tables of films."),
        "duplicates": ("cli_duplicates", "Find which images are the same picture, or nearly so."),
        "terms": ("cli_terms", "Show what sources allow, or record it."),
    },
    "Export": {
        "export": ("cli_export", "Make a training set of the kept images."),
        "rebuild": ("cli_rebuild", "Make a training set again from its lockfile."),
        "diff": ("cli_rebuild", "Explain what is otherwise in one training set than in another."),
    },
    "Keep in order": {
        "fsck": ("cli_stores", "Compare catalogue, store and spool; mend what differs."),
        "sync": ("cli_stores", "Copy what one store lacks from another."),
        "recheck": ("cli_recheck", "Ask the web again whether all kept images may be used."),
        "forget": ("cli_forget", "Delete images, and all that was recorded of them."),
        "completion": ("cli_completion", "Print what makes a shell complete posterbot's command lines."),
    },
}
"""Section of the help → name of a command, and of its function → its module, and what it does, in 66 characters."""


@click.group(
    cls=Sections,
    package="posterbot",
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="posterbot", message="%(prog)s %(version)s")
def cli() -> None:
    """Crawl for posters, look at what came in, decide what stays, and export it for training.

    Each command has a --help of its own.
    """


def main() -> None:
    """Entry point. A reader that goes away early (``| head``) ends the command in silence: Click sees to it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows "?" instead of a traceback
    cli(prog_name="posterbot")


if __name__ == "__main__":
    main()
