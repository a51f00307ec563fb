"""The commands that work on lockfiles: make a dataset again, and compare two."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from sqlalchemy import Engine

from posterbot.catalogue.database import CatalogueError, open_catalogue
from posterbot.catalogue.display import printable
from posterbot.cli_asking import INTERRUPTED, Failure, ask, catalogue_option, number_of
from posterbot.cli_crawls import crawl_command
from posterbot.cli_progress import Shown
from posterbot.cli_recheck import refuse_beside_a_crawl
from posterbot.export.formats.formats import FORMATS
from posterbot.frontier.operate import ToResume

if TYPE_CHECKING:
    from posterbot.export.diff import Change
    from posterbot.export.export import Exported
    from posterbot.export.link_rot import Rot
    from posterbot.export.lockfile import Lockfile

SHOWN = 50
"""Lines of ``posterbot diff``, unless more are asked for."""


class Work:
    """What ``rebuild`` has under way beside the dataset ``out``, until that is complete."""

    def __init__(self, out: Path) -> None:
        self.folder = out.with_name(f"{out.name}.rebuild")
        self.rot = out.with_name(f"{out.name}.link-rot.csv")
        self.originals = out.with_name(f"{out.name}.originals")
        self.plan, self.wanted = self.folder / "plan.parquet", self.folder / "wanted.jsonl"
        self.begun, self.fetched = self.folder / "begun.json", self.folder / "fetched"
        self.catalogue = f"sqlite:///{(self.folder / 'catalogue.db').absolute()}"


@click.command()
@click.argument("lockfile", type=click.Path(path_type=Path))
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
@click.option("--out", metavar="FOLDER", type=click.Path(path_type=Path), required=True, help="Of the new dataset.")
@click.option(
    "--store",
    metavar="URI",
    help="Originals are looked for here, and those that are missing are fetched into it. Default: OUT.originals",
)
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), help="Another one than the lockfile's.")
@click.option("--workers", type=click.IntRange(1, 256), metavar="N", help="Processes. Default: one for each core.")
@click.option("--resume", is_flag=True, help="Go on with what was interrupted.")
@catalogue_option
@click.pass_context
def rebuild(
    context: click.Context,
    lockfile: Path,
    more: tuple[str, ...],
    out: Path,
    store: str | None,
    format_: str | None,
    workers: int | None,
    resume: bool,
    url: str,
) -> None:
    """Make a dataset again from its LOCKFILE, or its folder: each image from the store, or from where it was found.

    What is fetched passes robots.txt, opt-outs and the pace of its host, and is compared with its sha256.
    OUT.link-rot.csv says what became of each address. What the catalogue knows of hosts and of images to be forgotten
    is heeded, where there is one. Exit code: 0 if all images are there, 1 if some are missing. Settings come from the
    environment, or stand after "--", as in: posterbot rebuild FILE --out again -- -s OPERATOR_CONTACT=you@example.org
    """
    given = context.get_parameter_source("url") is not ParameterSource.DEFAULT
    with _one_line(out):
        exported, rot = _rebuild(
            lockfile, out, store, format_, workers, resume, _catalogue(url, must_exist=given), more
        )
    _print_rebuilt(exported, rot, Work(out), store)
    if exported.missing or rot.lost:
        raise SystemExit(1)


def _catalogue(url: str, *, must_exist: bool) -> str | None:
    """The catalogue's URL, or None where there is none and none was asked for."""
    try:
        open_catalogue(url, must_exist=True).dispose()
    except CatalogueError as error:
        if must_exist:
            raise Failure(str(error)) from None
        return None
    return url


def _rebuild(
    place: Path,
    out: Path,
    store: str | None,
    format_: str | None,
    workers: int | None,
    resume: bool,
    catalogue: str | None,
    more: tuple[str, ...],
) -> tuple[Exported, Rot]:
    import numpy as np

    from posterbot.export import link_rot
    from posterbot.export.rebuild import check_lockfile, open_lockfile, write_again, write_wanted
    from posterbot.stores.opening import open_store
    from posterbot.stores.patient import Patient

    lock = open_lockfile(place)
    work = Work(out)
    uri = store or str(work.originals)
    _begin(work, lock, out, format_, uri, resume)
    check_lockfile(lock)
    with Shown() as shown:
        plan = _plan(work, lock, format_, catalogue)
        settled = np.zeros(0, "S32")
        if work.rot.exists():
            settled = link_rot.go_on(work.rot)
        if not work.fetched.exists():
            originals = Patient(open_store(uri, os.environ, "--store"))
            try:
                stored, wanted = write_wanted(
                    plan, originals, settled, work.wanted, lambda done: shown.at("looked for", done, plan.images)
                )
                if wanted:
                    originals.check()
            finally:
                originals.close()
            if wanted:
                _fetch(work, uri, wanted, catalogue, more, shown)
            work.fetched.write_text(json.dumps(stored))
        rot = link_rot.count(work.rot)
        rot.stored = int(work.fetched.read_text())
        exported = write_again(plan, uri, str(out), workers=workers, told=shown.at)
    shutil.rmtree(work.folder)
    if not rot.status:
        work.rot.unlink()
    return exported, rot


def _begin(work: Work, lock: Lockfile, out: Path, format_: str | None, store: str, resume: bool) -> None:
    """Is there room for it, or the beginning of the same? Raises click.UsageError."""
    digest = hashlib.file_digest(lock.file.open("rb"), "sha256").hexdigest()
    said = json.dumps({"lockfile": digest, "format": format_ or lock.header.options.format, "store": store})
    if work.begun.exists():
        if not resume:
            raise click.UsageError(f"{out} was begun and is not complete; --resume goes on with it")
        if work.begun.read_text(encoding="utf-8") != said:
            raise click.UsageError(f"--resume: {out} was begun with another lockfile, --format or --store")
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise click.UsageError(f"--out: there is something in {out}; give a folder that is empty or not there")
    if resume:
        raise click.UsageError(f"--resume: nothing was begun for {out}")
    work.folder.mkdir(parents=True, exist_ok=True)
    part = work.begun.with_name("begun.part")
    part.write_text(said, encoding="utf-8")
    part.replace(work.begun)


def _plan(work: Work, lock: Lockfile, format_: str | None, catalogue: str | None) -> Lockfile:
    """The plan, and the report with the images that must not be asked for."""
    from posterbot.export import link_rot
    from posterbot.export.lockfile import Lockfile
    from posterbot.export.rebuild import forgotten_line, forgotten_of, plan_again

    if work.plan.exists():
        return Lockfile(work.plan)
    forgotten = [] if catalogue is None else ask(catalogue, None, lambda engine, _: forgotten_of(engine, lock))
    work.rot.unlink(missing_ok=True)
    link_rot.begin(work.rot)
    with work.rot.open("a", encoding="utf-8", newline="") as report:
        report.writelines(map(forgotten_line, forgotten))
    return plan_again(lock, work.plan, format_, [example.sha256 for example in forgotten])


def _fetch(work: Work, store: str, wanted: int, catalogue: str | None, more: tuple[str, ...], shown: Shown) -> None:
    """Run the spider that fetches what is wanted. Raises Failure where that is not possible, or was interrupted."""
    if catalogue is None:
        open_catalogue(work.catalogue).dispose()
    else:
        ask(catalogue, None, lambda engine, _: refuse_beside_a_crawl(engine))
    given = {"wanted": str(work.wanted.absolute()), "out": str(work.rot.absolute())}
    where = store if "://" in store else str(Path(store).absolute())
    command, environment = crawl_command(
        ToResume(0, "refetch", given, ()), catalogue or work.catalogue, ("-s", f"IMAGES_STORE={where}", *more)
    )
    said: dict[str, Any] = {}
    interrupted = False
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while True:
            try:  # Ctrl-C reaches it as well, and then it has a few seconds to end
                if not (text := process.stdout.readline()):
                    break
            except KeyboardInterrupt:
                interrupted = True
                continue
            if text.startswith("{"):
                said = json.loads(text)
                shown.at("fetched", said["done"], wanted, said["bytes"])
    if process.returncode or "end" not in said:
        raise Failure(f"the fetching ended with exit code {process.returncode}; the reason stands above")
    if said["problem"]:
        raise Failure(f"{said['problem']}; then the same command with --resume goes on")
    if interrupted:
        raise KeyboardInterrupt
    if said["end"] != "finished":
        raise Failure(f"stopped before its end ({said['end']}); the same command with --resume goes on")


@contextmanager
def _one_line(out: Path | None = None) -> Iterator[None]:
    """What goes wrong outside, and Ctrl-C, as one line."""
    from posterbot.export.lockfile import LockfileError
    from posterbot.export.pool import DiedError
    from posterbot.export.target import OccupiedError, TargetError
    from posterbot.stores.store import StoreError, UnavailableError

    resume = "mended, the same command with --resume goes on"
    try:
        yield
    except OccupiedError as error:
        raise click.UsageError(printable(str(error))) from None
    except LockfileError as error:
        raise Failure(printable(str(error))) from None
    except (TargetError, StoreError, UnavailableError, DiedError) as error:
        raise Failure(f"{error}; {resume}") from None
    except OSError as error:
        said = error.strerror or next(iter(str(error).splitlines()), "")
        where = error.filename or out or "a temporary file"
        raise Failure(f"{where}: {said}" + (f"; {resume}" if out else "")) from None
    except KeyboardInterrupt:
        then = ": the same command with --resume goes on" if out else ""
        click.echo(f"posterbot: interrupted{then}", err=True)
        raise SystemExit(INTERRUPTED) from None


def _print_rebuilt(exported: Exported, rot: Rot, work: Work, store: str | None) -> None:
    click.echo(f"{number_of(sum(exported.images.values()), 'image')} in {exported.out}")
    click.echo(f"of {number_of(rot.stored + rot.status.total(), 'image')}: {printable(rot.words())}")
    for why, number in exported.missing.items():
        if why != "gone":  # those are what is told of addresses
            click.echo(f"posterbot: missing: {number_of(number, 'image')} {printable(why)}; see missing.csv", err=True)
    if rot.status:
        click.echo(f"what became of each address: {work.rot}")
    if store is None and work.originals.is_dir():
        click.echo(f"the originals are in {work.originals}, of use for another --format, and may be deleted")


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: each change, then the summary.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help=f"At most N changes. Default: {SHOWN}, or all.")
@click.option("--catalogue", "url", metavar="URL", help="Is asked why an image is missing where lockfiles do not tell.")
def diff(a: Path, b: Path, as_json: bool, limit: int | None, url: str | None) -> None:
    """Explain what is otherwise in dataset B than in A: each image that was removed, added or changed, and why.

    A and B are lockfiles, or folders of datasets. Exit code: 0 if they have the same images and say the same of them, 1
    otherwise.
    """
    from posterbot.export.rebuild import open_lockfile

    with _one_line():
        before, after = open_lockfile(a), open_lockfile(b)
        if url is None:
            same = _print_differences(before, after, None, as_json, limit)
        else:
            same = ask(url, None, lambda engine, _: _print_differences(before, after, engine, as_json, limit))
    if not same:
        raise SystemExit(1)


def _print_differences(
    before: Lockfile, after: Lockfile, engine: Engine | None, as_json: bool, limit: int | None
) -> bool:
    from posterbot.export.diff import differences, options_changed

    most = limit if limit is not None else None if as_json else SHOWN
    counts: Counter[tuple[str, str]] = Counter()
    images: Counter[str] = Counter()
    options = options_changed(before.header, after.header)
    if not as_json:
        for text in options:
            click.echo(f"option   {printable(text)}")
    for number, change in enumerate(differences(before, after, engine), 1):
        counts[change.status, change.reason] += 1
        images[change.status] += change.first
        if most is None or number <= most:
            click.echo(json.dumps(_of(change)) if as_json else _line(change))
    total = counts.total()
    if as_json:
        summed = [{"status": of, "reason": why, "images": number} for (of, why), number in _most(counts)]
        sizes = {"a": before.images, "b": after.images}
        click.echo(json.dumps({"summary": summed, "options": options, **sizes, **images}))
        return not total
    if most is not None and total > most:
        click.echo(f"and {total - most:,} more: --limit {total}")
    said = ", ".join(f"{images[status]:,} {status}" for status in ("removed", "added", "changed"))
    click.echo(f"{number_of(before.images, 'image')} in A, {after.images:,} in B: {said}")
    for (status, reason), number in _most(counts):
        click.echo(f"{status:<8} {number:>9,}  {printable(reason)}")
    return not total


def _most(counts: Counter[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    order = ("removed", "added", "changed")
    return sorted(counts.items(), key=lambda each: (order.index(each[0][0]), -each[1], each[0][1]))


def _of(change: Change) -> dict[str, Any]:
    return {name: value for name, value in asdict(change).items() if name != "first"}


def _line(change: Change) -> str:
    return printable(f"{change.status:<8} {change.sha256[:12]}  {change.reason}: {change.detail}  {change.url}")
