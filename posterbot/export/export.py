"""A dataset, from the catalogue to the last file: choose, plan, make the shards, tell of them all, check for leaks."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Engine

from posterbot import __version__
from posterbot.export.example import SPLITS
from posterbot.export.formats.formats import FORMATS
from posterbot.export.leaks import find_leaks
from posterbot.export.lockfile import NAME, Header, Lockfile, LockWriter
from posterbot.export.making import Job, Made, Missing, marker, read_marker
from posterbot.export.options import Options
from posterbot.export.papers import write_papers
from posterbot.export.plan import write_plan
from posterbot.export.pool import make_shards
from posterbot.export.target import PLAN, STATE, OccupiedError, Target, TargetError, discard, open_target
from posterbot.stores.opening import open_store
from posterbot.stores.patient import Patient

MISSING = "missing.csv"
"""In the folder of a dataset: images of the plan that are not in it. Not there if there are none."""
PROBES = 20
"""Images that are looked for in the store before anything is written."""
Told = Callable[[str, int, int | None, int], None]
"""What is done, with how many images so far, of how many, and how many bytes were read."""


class LeakError(Exception):
    """Something is in two splits; one line for each."""


class DifferentError(ValueError):
    """What is to be resumed was begun with other options; one line that says which."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A complete dataset."""

    out: str
    images: dict[str, int]
    """By split."""
    labels: dict[str, int]
    films: int
    without_film: int
    terms_unknown: int
    """Images of which it is not known whether they may be used for the purpose; for training if there is none."""
    left_out: dict[str, int]
    """Images that were not planned: why → how many."""
    missing: dict[str, int]
    """The same of those that were planned and could not be written."""
    bytes: int
    """Of the files of all shards."""
    remarks: tuple[str, ...]
    """What a person should know: one line each."""
    written: bool
    """False: it was complete already."""


def export(
    engine: Engine,
    store: str,
    options: Options,
    out: str,
    *,
    resume: bool = False,
    workers: int | None = None,
    today: datetime | None = None,
    told: Told = lambda verb, done, of, read: None,
) -> Exported:
    """Make a dataset.

    Args:
        engine: of the catalogue, which is only read.
        store: where the originals are: a URI as of ``stores.opening``, whose settings come from the environment.
        options: what is asked for.
        out: a folder, or a bucket.
        resume: go on with what was begun there with the same options; its plan stands, whatever has changed since.
        workers: processes; None: one for each core.
        today: from which the age of images is counted; None: now.
        told: called now and then.

    Raises:
        OccupiedError: there is something in ``out``, and it is not to be resumed.
        DifferentError: it was begun with other options.
        EmptyError, WhereError, AgreementError: see :func:`~posterbot.export.plan.write_plan`.
        LeakError: splits are not apart.
        TargetError, OSError: it cannot be written; mended, it can be resumed.
        StoreError, UnavailableError: a store cannot be used, or does not answer; the same.
        DiedError: a process died; the same.
    """
    target = open_target(out, os.environ)
    try:
        complete = None if target.is_empty() else _begun(target, options, resume)
        if complete is not None:
            return complete
        target.begin()
        remarks: list[str] = []
        if target.fetch(PLAN) is None:
            try:
                remarks = _plan(target, engine, store, options, today or datetime.now(UTC), told)
            except BaseException:
                target.abandon()
                raise
        job = Job(store, out, target.folder)
        return carry_out(
            target,
            job,
            workers,
            told,
            lambda lock, missing: write_papers(engine, store, lock, target.folder, missing, told),
            remarks,
        )
    finally:
        target.close()
        discard(target)


def carry_out(
    target: Target,
    job: Job,
    workers: int | None,
    told: Told,
    tell: Callable[[Lockfile, int], None],
    remarks: Sequence[str] = (),
) -> Exported:
    """From the plan that is in ``target`` to the last file.

    Args:
        target: ready to be written to.
        job: the same place, and the store.
        workers: processes; None: one for each core.
        told: called now and then.
        tell: called with what was really written, and how many images are missing, when all but the lockfile is in
            its place: it writes what tells of the dataset.
        remarks: for the answer.

    Raises:
        LeakError, TargetError, OSError, StoreError, UnavailableError, DiedError: see :func:`export`.
    """
    plan = Lockfile(target.folder / PLAN)
    made = _make(target, plan, job, workers or os.cpu_count() or 1, told)
    told("finishing", plan.images, plan.images, 0)
    return _finish(target, plan, made, list(remarks), tell)


def _plan(target: Target, engine: Engine, store: str, options: Options, today: datetime, told: Told) -> list[str]:
    """Write the plan, and see to it that it can be carried out."""
    file = target.folder / PLAN
    draft = file.with_name("draft.parquet")
    remarks = write_plan(engine, options, draft, today, lambda verb, done: told(verb, done, None, 0))
    _check(draft, options)
    _probe(draft, store)
    draft.replace(file)
    target.keep(PLAN)
    return remarks


def _begun(target: Target, options: Options, resume: bool) -> Exported | None:
    """What is there is complete, or can be gone on with (None), or neither.

    Raises:
        OccupiedError: it is something else, or is not to be resumed.
        DifferentError: it was begun with other options.
    """
    finished, plan = target.fetch(NAME), target.fetch(PLAN)
    if not resume:
        also = ", an export that is not complete; --resume goes on with it" if plan else "; give an empty --out"
        raise OccupiedError(f"{target.name} is not empty: there is {'a dataset' if finished else 'something'}{also}")
    file = finished or plan
    if file is None:
        if (target.folder / STATE).is_dir():
            return None
        raise OccupiedError(f"there is nothing to resume in {target.name}, and it is not empty; give another --out")
    header = Lockfile(file).header
    _compare(header, options)
    if finished is None:
        return None
    if plan is not None:  # it ended just before the last step
        target.begin()
        lock = Lockfile(target.folder / PLAN)
        target.clear(_state(target, lock))
    return _summary(target.name, finished, header.left_out, {}, 0, (), written=False)


def _compare(header: Header, options: Options) -> None:
    differing = [
        f"{field.name} was {getattr(header.options, field.name)!r}, now {getattr(options, field.name)!r}"
        for field in fields(Options)
        if getattr(header.options, field.name) != getattr(options, field.name)
    ]
    if header.version != __version__:
        differing.append(f"posterbot was {header.version}, now {__version__}")
    if differing:
        raise DifferentError(f"--resume: it was begun with other options: {'; '.join(differing)}")


def _check(lockfile: Path, options: Options) -> None:
    leaks = find_leaks(lockfile, by_source=options.by == "source")
    if leaks:
        raise LeakError("\n".join(["the splits are not apart:", *map(str, leaks)]))


def _probe(plan: Path, uri: str) -> None:
    """Is it the right store? Better said now than a million times.

    Raises:
        TargetError: nothing of what is looked for is there.
    """
    paths = pq.read_table(plan, columns=["path"])["path"]
    step = -(-len(paths) // PROBES)
    tried = paths.take(list(range(0, len(paths), step))).to_pylist()
    store = Patient(open_store(uri, os.environ, "--store"))
    try:
        if not any(store.stat(path) for path in tried):
            raise TargetError(f"of {len(tried)} images looked for none is in {store.name}; is --store right?")
    finally:
        store.close()


def _make(target: Target, plan: Lockfile, job: Job, workers: int, told: Told) -> list[Made]:
    """All shards, those complete already among them, in their order."""
    made: dict[int, Made] = {}
    for shard in plan.shards:
        if file := target.fetch(marker(shard.index)):
            made[shard.index] = read_marker(file)
    done = sum(plan.shards[index].images for index in made)
    left = [shard.index for shard in plan.shards if shard.index not in made]

    def progress(images: int, read: int) -> None:
        told("exported", done + images, plan.images, read)

    progress(0, 0)
    for index, complete in make_shards(job, target, left, workers, progress):
        made[index] = complete
    return [made[shard.index] for shard in plan.shards]


def _finish(
    target: Target, plan: Lockfile, made: list[Made], remarks: list[str], tell: Callable[[Lockfile, int], None]
) -> Exported:
    missing = [each for shard in made for each in shard.missing]
    why = Counter(each.why for each in missing)
    if not any(shard.images for shard in made):
        raise TargetError(f"none of {plan.images:,} images could be written: {_listed(why)}; is --store right?")
    file = target.folder / STATE / NAME
    header = _final(plan.header, missing)
    with LockWriter(file, header) as writer:
        for shard in plan.shards:
            gone = {each.sha256 for each in made[shard.index].missing}
            rows = [example for example in plan.read(shard.index) if example.sha256 not in gone]
            if rows:
                writer.write(rows)
    _check(file, header.options)
    lock = Lockfile(file)
    for path in (path for shard_made in made for path in shard_made.parts):
        target.fetch(path)
    FORMATS[header.options.format]()(header).finish(lock, target.folder)
    if missing:
        _write_missing(target.folder / MISSING, missing)
    tell(lock, len(missing))
    size = sum(shard.bytes for shard in made)
    exported = _summary(target.name, file, plan.header.left_out, dict(why), size, tuple(remarks), written=True)
    target.publish(NAME)
    target.clear(_state(target, plan))
    return exported


def _final(header: Header, missing: list[Missing]) -> Header:
    """The plan's, without what is missing; labels and genres keep their numbers."""
    gone = Counter(each.source for each in missing)
    sources = [replace(source, images=source.images - gone[source.name]) for source in header.sources]
    return replace(
        header,
        sources=tuple(
            sorted((each for each in sources if each.images), key=lambda source: (-source.images, source.name))
        ),
        left_out=dict(sorted((header.left_out | Counter(f"missing: {each.why}" for each in missing)).items())),
    )


def _write_missing(file: Path, missing: list[Missing]) -> None:
    from posterbot.export.formats.cells import cell

    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["sha256", "path", "url", "why"])
        writer.writerows([each.sha256, each.path, cell(each.url), each.why] for each in missing)


def _state(target: Target, plan: Lockfile) -> Iterator[str]:
    """Names of all that was of use only until the dataset was complete; what says so goes last."""
    for shard in plan.shards:
        if file := target.fetch(marker(shard.index)):
            yield from read_marker(file).parts
    yield PLAN


def _summary(
    out: str,
    lockfile: Path,
    left_out: Mapping[str, int],
    missing: dict[str, int],
    size: int,
    remarks: tuple[str, ...],
    *,
    written: bool,
) -> Exported:
    options = Lockfile(lockfile).header.options
    allowed = "redistributable" if options.purpose == "redistribution" else "ml_allowed"
    columns: Any = pq.read_table(lockfile, columns=["split", "label", "film", allowed])
    counted = {name: _counts(columns[name]) for name in ("split", "label")}
    return Exported(
        out=out,
        images={split: counted["split"][split] for split in SPLITS if split in counted["split"]},
        labels=dict(sorted(counted["label"].items(), key=lambda pair: (-pair[1], pair[0]))),
        films=int(pc.count_distinct(columns["film"]).as_py()),
        without_film=columns["film"].null_count,
        terms_unknown=columns[allowed].null_count,
        left_out=dict(left_out),
        missing=missing,
        bytes=size,
        remarks=remarks,
        written=written,
    )


def _counts(column: Any) -> dict[str, int]:
    return {each["values"]: each["counts"] for each in column.value_counts().to_pylist()}


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {why}" for why, number in sorted(counts.items()))
