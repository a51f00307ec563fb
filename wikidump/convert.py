"""From dumps to one file of rows: plan, extract, read again for other names of boxes, settle, write."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Protocol

from wikidump import output, run
from wikidump.dump import Dump, open_dump, units
from wikidump.imageinfo import Api, ImageInfo, api_url, complete, is_asked, wiki_asked
from wikidump.rows import Row
from wikidump.shards import folder_of, prepare
from wikidump.source import StandardInput
from wikidump.units import Job, Report, ShardError, Unit, read_report, read_shard


class Display(Protocol):
    """Who watches: see :class:`wikidump.progress.Lines`."""

    def start(self, what: str, total: int | None, done: Report) -> None:
        """A stage of ``total`` bytes begins, of which there was ``done`` before."""

    def add(self, size: int, text: int, pages: int, rows: int, posters: int) -> None:
        """More was done."""

    def say(self, line: str) -> None:
        """Something happened."""


@dataclass(slots=True)
class Summary:
    """What a run came to.

    ``statuses`` counts rows by image_status, ``repositories`` the posters by repository. ``damage`` and ``failures``
    are lines about what is missing in the output; ``aliases`` other names of boxes that were met and not looked for.
    """

    pages: int = 0
    text_bytes: int = 0
    seconds: float = 0.0
    rows: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    repositories: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    titles: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)


def convert(
    names: Sequence[str],
    out: Path,
    display: Display,
    *,
    indexes: Sequence[str] = (),
    wiki: str | None = None,
    kinds: Sequence[str] = ("film",),
    templates: Sequence[str] = (),
    workers: int = 1,
    on_ray: bool = False,
    resume: bool = False,
    imageinfo: bool = False,
    contact: str = "",
) -> Summary:
    """Write the rows of the dumps ``names`` (files, URLs, or ``-``) to ``out``, a .jsonl or .parquet file.

    ``indexes`` are none or one for each dump. What is done lies in a folder beside ``out`` until all is; with
    ``resume`` it is not done again. ``out`` is written also where units failed or data is damaged; the summary says so.

    Raises:
        DumpError, SourceError, WebError, ResumeError, RayError, ShardError: one line each.
    """
    started = time.monotonic()
    indexed: Sequence[str | None] = indexes or [None] * len(names)
    dumps = [open_dump(n, wiki=wiki, index=i, contact=contact) for n, i in zip(names, indexed, strict=True)]
    planned = units(dumps)
    folder = folder_of(out)
    threads = workers if len(planned) == 1 else 1
    job = Job(str(folder), tuple(kinds), tuple(templates), contact=contact, threads=threads)
    try:
        prepare(folder, dumps, planned, {"kinds": list(kinds), "templates": list(templates)}, resume)
        first = _read(planned, dumps, job, "1", workers, on_ray, display)
        aliases = sorted(_aliases(first))
        again = [unit for unit in planned if unit.wiki in {where for where, _, _ in aliases} and unit.source != "-"]
        last = first
        if again:
            display.say("reading again, for " + ", ".join(alias for _, alias, _ in aliases))
            job = replace(job, redirects=tuple(aliases))
            # Named by what is looked for: a unit of the first reading that failed may add to it after --resume.
            name = f"2-{hashlib.sha1(repr(aliases).encode(), usedforsecurity=False).hexdigest()[:8]}"
            last = first | _read(again, dumps, job, name, workers, on_ray, display)
        summary = Summary(aliases=[alias for where, alias, _ in aliases if where not in {unit.wiki for unit in again}])
        _count(summary, planned, last)
        _write(out, folder, planned, dumps, last, summary, display, contact if imageinfo else None)
        if not summary.failures:
            shutil.rmtree(folder)
    except OSError as error:
        raise ShardError(
            f"cannot write {error.filename or out}: {error.strerror}; --resume goes on from here"
        ) from None
    summary.seconds = time.monotonic() - started
    return summary


Shards = dict[int, tuple[str, Report | str]]
"""By the number of the unit: the folder of its shard, and what became of it."""


def _read(
    planned: list[Unit], dumps: list[Dump], job: Job, name: str, workers: int, on_ray: bool, display: Display
) -> Shards:
    """One reading of ``planned``; its shards go to a folder ``name``, and those that are there stay."""
    folder = Path(job.folder) / name
    folder.mkdir(exist_ok=True)
    job = replace(job, folder=str(folder))
    shards: Shards = {}
    before = Report()
    for unit in planned:
        report = read_report(str(folder), unit.number)
        if report is not None:
            shards[unit.number] = str(folder), report
            before.bytes += report.bytes
            before.pages += report.pages
            before.rows += report.rows
            before.posters += report.posters
    left = [unit for unit in planned if unit.number not in shards]
    known = all(not isinstance(dump.source, StandardInput) for dump in dumps)
    display.start(name, sum(unit.end - unit.start for unit in planned) if known else None, before)

    def done(unit: Unit, outcome: run.Outcome) -> None:
        shards[unit.number] = str(folder), outcome

    piped = {dump.source.name: dump.source for dump in dumps if isinstance(dump.source, StandardInput)}
    for unit in left:
        if unit.source in piped:
            run.run_here([unit], job, display.add, done, piped[unit.source])
    left = [unit for unit in left if unit.source not in piped]
    if on_ray:
        run.run_on_ray(left, job, display.add, done)
    elif workers > 1 and len(left) > 1:
        run.run_in_processes(left, job, workers, display.add, done)
    else:
        run.run_here(left, job, display.add, done)
    return shards


def _whole(shards: Shards) -> Iterator[tuple[str, int]]:
    for number, (folder, outcome) in sorted(shards.items()):
        if not isinstance(outcome, str):
            yield folder, number


def _aliases(shards: Shards) -> set[tuple[str, str, str]]:
    """(wiki, alias, template) of all redirects to boxes that the shards hold."""
    return {
        (wiki, *content)
        for folder, number in _whole(shards)
        for kind, wiki, *content in read_shard(folder, number)
        if kind == "redirect"
    }


def _count(summary: Summary, planned: list[Unit], shards: Shards) -> None:
    for unit in planned:
        outcome = shards[unit.number][1]
        if isinstance(outcome, str):
            summary.failures.append(f"{unit}: {outcome}")
            continue
        summary.pages += outcome.pages
        summary.text_bytes += outcome.text_bytes
        summary.skipped += outcome.skipped
        summary.titles += outcome.titles
        summary.damage += [f"{unit}: {problem} at byte {offset:,}" for offset, problem in outcome.damage]


def complete_wikis(dumps: list[Dump], planned: list[Unit], shards: Shards) -> set[str]:
    """Wikis of which all File: pages have been read, so that a file without one lies elsewhere.

    That is so where one file holds the whole dump (it is no part, nothing in it is damaged or failed, it ends as a dump
    does) and has File: pages at all: an export of some articles has none.
    """
    found = set()
    for dump in dumps:
        outcomes = [shards[unit.number][1] for unit in planned if unit.source == dump.source.name]
        reports = [outcome for outcome in outcomes if isinstance(outcome, Report)]
        whole = len(reports) == len(outcomes) and not any(report.damage for report in reports)
        ended = any(report.finished for report in reports)
        if whole and ended and not dump.part and any(report.files for report in reports):
            found.add(dump.wiki)
    return found


def _write(
    out: Path,
    folder: Path,
    planned: list[Unit],
    dumps: list[Dump],
    shards: Shards,
    summary: Summary,
    display: Display,
    contact: str | None,
) -> None:
    """Settle and write the rows; with a ``contact``, ask the API for what is still unknown."""
    lying = list(_whole(shards))
    files = output.files_of(lying)
    complete_ones = complete_wikis(dumps, planned, shards)

    def rows() -> Iterator[Row]:
        return output.settled(output.rows_of(lying), files, complete_ones)

    answers = {} if contact is None else _ask(rows(), folder / "imageinfo.jsonl", contact, display)
    with output.writer(out) as write:
        for row in rows():
            row = complete(row, answers.get((wiki_asked(row), row.image_name or "")))
            write(row)
            summary.rows += 1
            summary.statuses[row.image_status] += 1
            if row.image_status == "ok":
                summary.repositories[row.repository or "unknown"] += 1


def _ask(rows: Iterable[Row], kept: Path, contact: str, display: Display) -> dict[tuple[str, str], ImageInfo]:
    """What the API says of the files of ``rows``, by (wiki, name). Answers are ``kept``: nothing is asked twice."""
    answers: dict[tuple[str, str], ImageInfo] = {}
    if kept.exists():
        for line in kept.read_text("utf-8").splitlines():
            wiki, *content = json.loads(line) if line.endswith("]") else [""]
            if content:
                answers[wiki, content[0]] = ImageInfo(*content)
    wanted: dict[str, dict[str, None]] = defaultdict(dict)
    for row in rows:
        if is_asked(row) and row.image_name and (wiki_asked(row), row.image_name) not in answers:
            wanted[wiki_asked(row)][row.image_name] = None
    with kept.open("a", encoding="utf-8") as file:
        for wiki, names in wanted.items():
            display.say(f"asking {wiki} about {len(names):,} files")
            for info in Api(wiki, api_url(wiki), contact).ask(list(names)):
                answers[wiki, info.name] = info
                print(json.dumps([wiki, *astuple(info)], ensure_ascii=False), file=file, flush=True)
    return answers
