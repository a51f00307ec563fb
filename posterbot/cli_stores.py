"""The commands that see to stores: does one hold what the catalogue says, and copying one to another."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from posterbot.catalogue.display import size
from posterbot.catalogue.stored import machines_of_runs, number_stored, stores_of_runs
from posterbot.cli_asking import INTERRUPTED, Failure, ask, catalogue_option, number_of, spool_option, store_option
from posterbot.cli_progress import Shown
from posterbot.frontier.workers import machine
from posterbot.stores.opening import open_store
from posterbot.stores.spool import Spool
from posterbot.stores.store import Store, StoreError, UnavailableError
from posterbot.stores.sync import NotCopied, Synced, overlap
from posterbot.stores.sync import sync as copy_missing
from posterbot.upkeep.fsck import Counts, Difference, Kind
from posterbot.upkeep.fsck import fsck as differences_of
from posterbot.upkeep.repair import Action, Mended, Repairs, repair


@click.command()
@click.option("--repair", "mend", is_flag=True, help="Mend what can be mended, and queue the rest to be fetched again.")
@click.option("--deep", is_flag=True, help="Read every image, and compare its hash.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per difference, then one with the counts.")
@store_option
@spool_option
@catalogue_option
@click.pass_context
def fsck(context: click.Context, mend: bool, deep: bool, as_json: bool, uri: str, spool: Path, url: str) -> None:
    """Compare catalogue, store and spool, and list each difference; exit code 1 if there is any.

    \b
    missing     the catalogue has it, store and spool have not
    orphan      the store has it, the catalogue has not
    wrong_size  it is longer or shorter than the catalogue says
    wrong_hash  with --deep: it has other bytes than the catalogue says

    What --repair takes out of the way lies under lost+found/ in the store. A crawl may go on meanwhile.
    """

    def answer(engine: Engine, _: int | None) -> bool:
        with _opened(uri) as store:
            check = _Check(engine, store, Spool(spool, store.name, 0), deep, as_json)
            return check.repair() if mend else check.look()

    with _one_line("nothing is half done; the same command begins again"):
        clean = ask(url, None, answer)
    context.exit(0 if clean else 1)


class _Check:
    """One call of ``posterbot fsck``: what it prints, and whether all is well in the end."""

    def __init__(self, engine: Engine, store: Store, spool: Spool, deep: bool, as_json: bool) -> None:
        self._engine, self._store, self._spool, self._deep, self._json = engine, store, spool, deep, as_json
        self._counts = Counts()
        self._others = [name for name in stores_of_runs(engine) if name != store.name]
        self._machines = sorted(machines_of_runs(engine) - {machine().partition("/")[0]})
        if self._others:
            click.echo(
                f"runs of this catalogue have stored in {' and '.join(self._others)}: what is only there is missing "
                f"here, and comes with: posterbot sync {self._others[0]} {store.name}",
                err=True,
            )

    def look(self) -> bool:
        with self._progress() as (shown, looked):
            found = differences_of(
                self._engine, self._store, self._spool, deep=self._deep, counts=self._counts, looked=looked
            )
            with closing(found):
                for difference in found:
                    shown.say(self._line(difference))
        clean = not self._counts.differences
        self._sum_up(clean, None)
        return clean

    def repair(self) -> bool:
        repairs = Repairs()
        with self._progress() as (shown, looked):
            found = repair(
                self._engine,
                self._store,
                self._spool,
                deep=self._deep,
                counts=self._counts,
                repairs=repairs,
                looked=looked,
            )
            with closing(found):
                for mended in found:
                    shown.say(self._line(mended.difference, mended))
        clean = not repairs.left
        self._sum_up(clean, repairs)
        return clean

    @contextmanager
    def _progress(self) -> Iterator[tuple[Shown, Callable[[Counts], None]]]:
        total = number_stored(self._engine)
        with Shown() as shown:
            yield (
                shown,
                lambda counts: shown.at("checked", counts.rows, total, counts.bytes if self._deep else 0),
            )

    def _line(self, difference: Difference, mended: Mended | None = None) -> str:
        actions = [] if mended is None else list(mended.actions)
        if self._json:
            said: dict[str, Any] = {"kind": difference.kind, "path": difference.path, "detail": difference.detail}
            if difference.found is not None:
                said["in"] = difference.place
            return json.dumps(said | ({} if mended is None else {"repair": actions}))
        done = f" → {', '.join(actions)}" if actions else ""
        return f"{difference.kind:<10}  {difference.path}  {difference.detail}{done}"

    def _sum_up(self, clean: bool, repairs: Repairs | None) -> None:
        counts = self._counts
        if self._json:
            click.echo(json.dumps(self._summary(clean, repairs)))
            return
        number = counts.differences.total()
        lines = [
            f"{number_of(counts.rows, 'object')} in the catalogue, {counts.objects:,} in {self._store.name} "
            f"({size(counts.bytes)})"
        ]
        if counts.rows and not counts.objects:
            lines.append("there is nothing at all in that store: is --store right?")
        if counts.waiting and repairs is None:
            what = "image waits" if counts.waiting == 1 else "images wait"
            lines.append(f"{counts.waiting:,} {what} in the spool {self._spool.folder} ({size(counts.waiting_bytes)})")
        if counts.young:
            what = "object that no page has yet is" if counts.young == 1 else "objects that no page has yet are"
            lines.append(f"{counts.young:,} {what} too young to tell")
        if counts.differences[Kind.MISSING] and self._machines:
            lines.append(
                f"crawls ran on {' and '.join(self._machines)} too: what waits in a spool there is not seen here"
            )
        if repairs is not None:
            lines += _repaired(repairs, self._store.name)
        kinds = ", ".join(f"{counts.differences[kind]:,} {kind}" for kind in Kind if counts.differences[kind])
        lines.append(f"{number_of(number, 'difference')}: {kinds}" if number else "no differences")
        if repairs is not None and number:
            lines.append("all is well now" if clean else f"not all is well yet: {repairs.left:,} still missing")
        elif number:
            lines.append("to mend what can be mended: posterbot fsck --repair")
        for line in lines:
            click.echo(line)

    def _summary(self, clean: bool, repairs: Repairs | None) -> Mapping[str, Any]:
        counts = self._counts
        said: dict[str, Any] = {
            "clean": clean,
            "differences": {str(kind): counts.differences[kind] for kind in Kind},
            "rows": counts.rows,
            "objects": counts.objects,
            "bytes": counts.bytes,
            "waiting": counts.waiting,
            "too_young": counts.young,
            "store": self._store.name,
            "other_stores": self._others,
            "other_machines": self._machines,
        }
        if repairs is not None:
            said["repairs"] = {
                "uploaded": repairs.uploaded,
                **{str(action).replace(" ", "_"): repairs.actions[action] for action in Action},
                "queued": {str(of.run): of.images for of in repairs.runs},
                "refused": repairs.refused,
                "left": repairs.left,
            }
        return said


def _repaired(repairs: Repairs, store: str) -> list[str]:
    """What was done, and what somebody has to do now."""
    lines = []
    if repairs.uploaded:
        lines.append(f"{number_of(repairs.uploaded, 'image')} uploaded from the spool ({size(repairs.uploaded_bytes)})")
    if aside := repairs.actions[Action.SET_ASIDE]:
        lines.append(f"{number_of(aside, 'object')} moved to lost+found/")
    for other, number in repairs.elsewhere.items():
        missing = "missing object" if number == 1 else "missing objects"
        lines.append(f"{number:,} {missing} may be in {other}, where their runs stored: posterbot sync {other} {store}")
    for of in repairs.runs:
        busy = f", and images of {number_of(of.busy, 'page')} are being fetched right now" if of.busy else ""
        then = "its workers take them up" if of.at_work else f"to fetch them: posterbot crawls resume {of.run}"
        lines.append(f"run {of.run}: {number_of(of.images, 'image')} queued{busy}; {then}")
    if repairs.hopeless:
        why = "; ".join(repairs.refused) or "no page shows them any more"
        lines.append(f"{number_of(repairs.hopeless, 'image')} cannot be fetched again by any run: {why}")
    return lines


@click.command()
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="DST")
@click.pass_context
def sync(context: click.Context, source: str, destination: str) -> None:
    """Copy what DST lacks from SRC: folders, gs://…, s3://…, ftp://…. Nothing is overwritten, nothing deleted.

    Originals are compared with the hash that is their name. The same command goes on where it was interrupted.
    """
    synced = Synced()
    with _one_line(lambda: f"{_copied(synced)}; the same command goes on"):
        with _opened(source, "SRC") as one, _opened(destination, "DST") as other:
            if overlap(one.name, other.name):
                raise click.UsageError(f"SRC and DST must be apart: {one.name}, {other.name}")
            _try(other, "DST")
            with Shown() as shown:

                def told(synced: Synced, trouble: NotCopied | None) -> None:
                    if synced.total is None:
                        shown.at("compared", synced.listed)
                    else:
                        shown.at("copied", synced.copied, synced.total, synced.bytes)
                    if trouble is not None:
                        shown.say(f"not copied  {trouble.path}  {trouble.why}")

                copy_missing(one, other, told, synced)
            if not synced.listed:
                raise Failure(f"SRC: there is nothing in {one.name}")
        click.echo(_copied(synced))
    context.exit(1 if synced.not_copied else 0)


def _copied(synced: Synced) -> str:
    return (
        f"copied {number_of(synced.copied, 'object')} ({size(synced.bytes)}), there already {synced.already:,}, "
        f"not copied {synced.not_copied:,}"
    )


@contextmanager
def _opened(uri: str, what: str = "IMAGES_STORE") -> Iterator[Store]:
    store = open_store(uri, os.environ, what)
    try:
        yield store
    finally:
        store.close()


def _try(store: Store, what: str) -> None:
    try:
        store.check()
    except UnavailableError as error:
        raise Failure(f"{what}: {store.name} does not answer ({error}); is the address right?") from None


@contextmanager
def _one_line(interrupted: str | Callable[[], str]) -> Iterator[None]:
    """What goes wrong outside, and Ctrl-C, as one line."""
    try:
        yield
    except (StoreError, UnavailableError) as error:
        raise Failure(str(error)) from None
    except KeyboardInterrupt:
        said = interrupted if isinstance(interrupted, str) else interrupted()
        click.echo(f"posterbot: interrupted: {said}", err=True)
        raise SystemExit(INTERRUPTED) from None
