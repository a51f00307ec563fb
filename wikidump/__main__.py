"""``python -m wikidump``: one command, one call of :func:`wikidump.convert.convert`.

Exit codes: 0; 1 where something is missing in the output, or there is none (one line on stderr each); 2 for a wrong
command line; 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, Any

import click


class Failure(click.ClickException):
    """Something outside is not as it should be: one line, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print ``wikidump: …`` on stderr."""
        click.echo(f"wikidump: {self.message}", file=file, err=file is None)


def _kinds(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    from wikidump.wikis import KINDS

    kinds = tuple(dict.fromkeys(kind.strip() for kind in value.split(",") if kind.strip()))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise click.BadParameter(f"{', '.join(unknown) or 'nothing'} is none of {', '.join(KINDS)}")
    return kinds


def _out(context: click.Context, parameter: click.Parameter, value: Path) -> Path:
    if value.suffix not in (".jsonl", ".parquet"):
        raise click.BadParameter(f"{value} ends neither in .jsonl nor in .parquet")
    if not value.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {value.parent}")
    return value


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("dumps", nargs=-1, required=True, metavar="DUMP...")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_out,
    required=True,
    metavar="FILE",
    help="The file to write, .jsonl or .parquet.",
)
@click.option("--index", "indexes", multiple=True, metavar="FILE", help="The dump's index; one for each DUMP, or none.")
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Processes. Default: one per core; 2 for URLs."
)
@click.option("--wiki", metavar="NAME", help="As in enwiki. Default: what the dump or its name says.")
@click.option("--template", "templates", multiple=True, metavar="NAME", help="A further template to look for.")
@click.option(
    "--kinds",
    default="film",
    show_default=True,
    callback=_kinds,
    metavar="K,K",
    help="Of film, television, video_game, book, album.",
)
@click.option("--resume", is_flag=True, help="Go on with a run that was interrupted.")
@click.option("--imageinfo", is_flag=True, help="Ask the wiki's API for repositories and licences still unknown.")
@click.option(
    "--contact",
    envvar="OPERATOR_CONTACT",
    default="",
    show_envvar=True,
    metavar="ADDRESS",
    help="Your e-mail address or web page; needed for --imageinfo and for URLs.",
)
@click.option("--ray", "on_ray", is_flag=True, help="Work on the Ray cluster at RAY_ADDRESS, or a local one.")
@click.option("--progress/--no-progress", default=True, help="Show how far it is. Default: yes.")
@click.version_option(package_name="posterbot", prog_name="wikidump", message="%(prog)s %(version)s")
def cli(
    dumps: tuple[str, ...],
    out: Path,
    indexes: tuple[str, ...],
    workers: int | None,
    wiki: str | None,
    templates: tuple[str, ...],
    kinds: tuple[str, ...],
    resume: bool,
    imageinfo: bool,
    contact: str,
    on_ray: bool,
    progress: bool,
) -> None:
    """Write a row for each film box in Wikipedia dumps: the film, its poster, where that lies, its licence.

    DUMP is a file or an http(s) URL, bz2 (multistream or not) or plain XML, or - for the standard input.
    """
    from wikidump.convert import convert
    from wikidump.dump import DumpError
    from wikidump.progress import Lines
    from wikidump.run import RayError
    from wikidump.shards import ResumeError, folder_of
    from wikidump.source import SourceError
    from wikidump.units import ShardError
    from wikidump.web import CONTACT_MISSING, ContactError, WebError

    if indexes and len(indexes) != len(dumps):
        raise click.UsageError(f"{len(dumps)} dumps need {len(dumps)} times --index, in the same order, or none")
    if "-" in dumps and (len(dumps) > 1 or resume or on_ray):
        raise click.UsageError("- can be read only once: alone, without --resume and without --ray")
    if imageinfo and not contact.strip():
        raise click.UsageError(CONTACT_MISSING)
    remote = any("://" in dump for dump in dumps)
    lines = Lines(sys.stderr, "films" if kinds == ("film",) else "boxes", progress)
    try:
        with lines:
            summary = convert(
                dumps,
                out,
                lines,
                indexes=indexes,
                wiki=wiki,
                kinds=kinds,
                templates=templates,
                workers=workers or (2 if remote else os.cpu_count() or 1),
                on_ray=on_ray,
                resume=resume,
                imageinfo=imageinfo,
                contact=contact,
            )
    except ContactError as error:
        raise click.UsageError(str(error)) from None
    except (DumpError, SourceError, WebError, ResumeError, RayError, ShardError) as error:
        raise Failure(str(error)) from None
    except KeyboardInterrupt:
        rest = "; --resume goes on from here" if folder_of(out).exists() and "-" not in dumps else ""
        click.echo(f"wikidump: stopped{rest}", err=True)
        sys.exit(130)

    def listed(counts: dict[str, int]) -> str:
        return (
            ", ".join(f"{name} {counts[name]:,}" for name in sorted(counts, key=lambda name: -counts[name])) or "none"
        )

    def several(number: int, one: str, more: str) -> str:
        return f"{number:,} {one if number == 1 else more}"

    found = several(summary.rows, *(("film", "films") if kinds == ("film",) else ("box", "boxes")))
    click.echo(f"{several(summary.pages, 'page', 'pages')}, {found} → {out}")
    click.echo(f"image: {listed(summary.statuses)} · repository: {listed(summary.repositories)}")
    rate = summary.text_bytes / 1e6 / max(summary.seconds, 1e-3)
    click.echo(f"{summary.text_bytes / 1e6:,.1f} MB of text in {summary.seconds:.1f} s, {rate:.1f} MB/s")
    if summary.skipped:
        titles = ", ".join(summary.titles[:5]) + (", …" if summary.skipped > 5 else "")
        pages = several(summary.skipped, "page that is too long or has", "pages that are too long or have")
        click.echo(f"wikidump: left out {pages} no title: {titles}", err=True)
    if summary.aliases:
        names = " ".join(f'--template "{alias}"' for alias in summary.aliases)
        click.echo(f"wikidump: boxes have more names here; to have those too, run again with {names}", err=True)
    for line in [*summary.damage, *summary.failures]:
        click.echo(f"wikidump: {line}", err=True)
    if summary.failures:
        missing = several(len(summary.failures), "unit is", "units are")
        raise Failure(f"{missing} missing in {out}: run again with --resume")
    if summary.damage:
        raise Failure(f"{out} has what could be read")


def main() -> None:
    """Entry point."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows "?" instead of a traceback
    cli(prog_name="python -m wikidump")


if __name__ == "__main__":
    main()
