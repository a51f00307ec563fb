"""The command that judges the past again by another policy, and deletes what is not wanted any more."""

from __future__ import annotations

import dataclasses
import getpass
import json
import os
import shlex
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import Engine

from posterbot.catalogue.display import printable, size
from posterbot.cli_asking import Failure, ask, catalogue_option, spool_option, store_option
from posterbot.cli_progress import Shown

if TYPE_CHECKING:
    from posterbot.rejudge.prune import Prunable, Pruned
    from posterbot.rejudge.refetch import Refetch
    from posterbot.rejudge.rejudge import Rejudged
    from posterbot.stores.store import Store

INTERRUPTED = 130
SHOWN = 10
"""Rows of a table."""


class _Unasked(Failure):
    """There is no terminal to ask on."""

    exit_code = 2


@click.command()
@click.option("--labels", metavar="L,L,…", help="Keep these labels. Default: those of the newest policy; so below.")
@click.option("--threshold", metavar="P", help="From this probability on; or precision=0.95, or recall=0.98.")
@click.option("--top", metavar="N", help="Only where a wanted label is among the N likeliest; 'none' takes it away.")
@click.option("--model", metavar="NAME", help="By the scores of this model; or FOLDER, from 'posterbot learn'.")
@click.option("--no-quality-gates", is_flag=True, help="As a crawl with QUALITY_GATES=0: blurred and flat may pass.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--prune", is_flag=True, help="Then delete the originals of all images that are dropped now.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@store_option
@spool_option
@catalogue_option
@click.pass_context
def rejudge(
    context: click.Context,
    labels: str | None,
    threshold: str | None,
    top: str | None,
    model: str | None,
    no_quality_gates: bool,
    dry_run: bool,
    prune: bool,
    yes: bool,
    as_json: bool,
    uri: str,
    spool: Path,
    url: str,
) -> None:
    """Judge all images again that have scores, by a new policy: nothing is fetched for that, nor scored.

    What fails now is marked as dropped; its original stays until --prune. What passes now and was not kept is queued
    to be fetched. Interrupted, it is finished by the same command. A crawl may go on meanwhile, but for --prune; it
    goes on by its own policy: "posterbot steer" changes that.
    """
    if prune and not (dry_run or yes or sys.stdin.isatty()):
        raise _Unasked("nobody can be asked here: look with --prune --dry-run, then add --yes")

    def answer(engine: Engine, _: int | None) -> None:
        from posterbot.rejudge.rejudge import rejudge as judge_again
        from posterbot.stores.opening import open_store

        wanted: Any = {} if top is None else {"top": None if top.strip().lower() in {"", "none"} else top}
        with closing(open_store(uri, os.environ, "--store")) as store, Shown() as shown:
            done = judge_again(
                engine,
                labels=labels,
                threshold=threshold,
                model=_scored(engine, model, shown, dry_run=dry_run),
                author=getpass.getuser(),
                dry_run=dry_run,
                quality_gates=not no_quality_gates,
                store=store,
                progress=lambda number, of: shown.at("judged", number, of),
                queueing=lambda number, of: shown.at("queued", number, of),
                **wanted,
            )
            if not as_json:
                for line in _report(done):
                    shown.say(line)
        pruning = _prune(engine, store, spool, dry_run=dry_run, yes=yes, quiet=as_json) if prune else None
        if as_json:
            click.echo(json.dumps(_as_json(done, pruning)))

    _one_line(lambda: ask(url, None, answer))


def _one_line(call: Any) -> None:
    from posterbot.steering.labels import PolicyError
    from posterbot.stores.store import StoreError, UnavailableError

    try:
        call()
    except PolicyError as error:
        raise click.UsageError(f"{error}; nothing has changed") from None
    except (StoreError, UnavailableError) as error:
        raise Failure(f"{error}; the same command goes on") from None
    except KeyboardInterrupt:
        click.echo("posterbot: interrupted: the same command goes on", err=True)
        raise SystemExit(INTERRUPTED) from None


def _scored(engine: Engine, model: str | None, shown: Shown, *, dry_run: bool) -> str | None:
    """What the catalogue calls the model; one that was learned here scores first what it has not scored yet."""
    from posterbot.review.rescore import learned_in, rescore
    from posterbot.steering.labels import PolicyError

    folder = None if model is None else learned_in(model)
    if folder is None:
        return model
    if dry_run:
        raise PolicyError(f"--model {model}: images have to be scored by it first, so there is no --dry-run")
    return rescore(engine, folder, lambda number, of: shown.at("scored", number, of))


# --- Deleting -------------------------------------------------------------------------------------------------------


def _prune(
    engine: Engine, store: Store, spool: Path, *, dry_run: bool, yes: bool, quiet: bool
) -> tuple[Prunable, Pruned | None]:
    from posterbot.rejudge.prune import prunable, refuse_beside_a_crawl
    from posterbot.rejudge.prune import prune as delete
    from posterbot.stores.spool import Spool

    there = prunable(engine)
    if not quiet:
        for line in _amount(there, store.name, dry_run=dry_run):
            click.echo(line)
    if dry_run or not (there.images or there.copies):
        return there, None
    refuse_beside_a_crawl(engine)
    if not yes:
        click.confirm("for ever?", abort=True)
    with Shown() as shown:
        total = there.images + there.copies
        done = delete(engine, store, Spool(spool, store.name, 0), lambda number: shown.at("deleted", number, total))
    if not quiet:
        click.echo(f"deleted: {_number(done.objects, 'object')} ({size(done.bytes)})")
    return there, done


def _amount(there: Prunable, store: str, *, dry_run: bool) -> list[str]:
    lines = []
    if there.images or there.copies:
        copies = f", and {_number(there.copies, 'second copy')} ({size(there.copies_bytes)})" if there.copies else ""
        verb = "it would delete" if dry_run else "to be deleted"
        lines.append(f"{verb}: {_number(there.images, 'original')} ({size(there.bytes)}){copies} in {store}")
    else:
        lines.append("no original of a dropped image is kept")
    if there.spared:
        lines.append(f"{_number(there.spared, 'original')} stay: a person called the image wanted")
    return lines


# --- Saying ---------------------------------------------------------------------------------------------------------


def _report(done: Rejudged) -> list[str]:
    from posterbot.steering.display import in_words

    assert done.decides is not None
    rule = in_words(done.decides)
    would = "would be " if done.policy is None else ""
    lines = [f"new policy: {rule}" if done.policy is None else f"policy {done.policy}: {rule}"]
    lines.append(
        f"{_number(done.judged, 'image')} judged, {done.newly_kept:,} {would}newly kept, "
        f"{done.newly_dropped:,} {would}newly dropped, {done.unchanged:,} as before"
    )
    if done.reasons:
        lines.append("dropped for: " + ", ".join(f"{reason} {count:,}" for reason, count in done.reasons.most_common()))
    if done.policy is None:
        lines += _changes("label", done.labels)
        part = f" (of {done.hosts_of:,} of them)" if done.hosts_of < done.newly_kept + done.newly_dropped else ""
        lines += _changes(f"host{part}", done.hosts)
        if done.to_fetch:
            lines.append(f"{_number(done.to_fetch, 'image')} would have to be fetched again")
    if done.without_scores:
        lines.append(f"{_number(done.without_scores, 'image')} without scores of {done.decides.model.name}: not judged")
    return lines + (_bytes(done.bytes, done) if done.bytes is not None else [])


def _changes(heading: str, rows: dict[str, list[int]]) -> list[str]:
    if not rows:
        return []
    ranked = sorted(rows.items(), key=lambda item: (-sum(item[1]), item[0]))
    lines = [f"{'newly kept':>12}  {'newly dropped':>13}  {heading}"]
    lines += [f"{kept:>12,}  {dropped:>13,}  {printable(name)}" for name, (kept, dropped) in ranked[:SHOWN]]
    return lines + ([f"{'':>27}  and {len(ranked) - SHOWN:,} more"] if len(ranked) > SHOWN else [])


def _bytes(bytes_: Refetch, done: Rejudged) -> list[str]:
    assert done.decides is not None
    lines = []
    if bytes_.promoted:
        lines.append(f"{_number(bytes_.promoted, 'original')} put in place ({size(bytes_.promoted_bytes)})")
    words = f"labels={','.join(done.decides.labels)}", f"threshold={done.decides.threshold:g}"
    for of in bytes_.runs:
        what = f"run {of.run}: {_number(of.images, 'image')}"
        if of.at_work and not of.follows:
            steer = f"posterbot steer --labels {shlex.quote(','.join(done.decides.labels))}"
            steer += f" --threshold {done.decides.threshold:g} --rejudge"
            lines.append(f"{what} to fetch, not queued, as its policy would drop them again; first: {steer}")
        elif of.at_work:
            busy = f", {_number(of.busy, 'page')} of them at this moment" if of.busy else ""
            lines.append(f"{what} queued; its workers take them up{busy}")
        else:
            told = "" if of.follows else " -- " + " ".join(f"-a {shlex.quote(word)}" for word in words)
            lines.append(f"{what} queued; to fetch them: posterbot crawls resume {of.run}{told}")
    if bytes_.hopeless:
        why = "; ".join(bytes_.refused) or "no page shows them any more"
        lines.append(f"{_number(bytes_.hopeless, 'image')} cannot be fetched again by any run: {why}")
    return lines


def _as_json(done: Rejudged, pruning: tuple[Prunable, Pruned | None] | None) -> dict[str, Any]:
    assert done.decides is not None
    said = {name: getattr(done, name) for name in done.__dataclass_fields__ if name not in {"decides", "bytes"}}
    policy = done.decides
    said |= {
        "wanted": list(policy.labels),
        "threshold": policy.threshold,
        "top": policy.top,
        "model": policy.model.name,
    }
    said["bytes"] = None if done.bytes is None else dataclasses.asdict(done.bytes)
    if pruning is not None:
        there, pruned = pruning
        said["prunable"] = dataclasses.asdict(there)
        said["pruned"] = None if pruned is None else dataclasses.asdict(pruned)
    return said


def _number(number: int, what: str) -> str:
    plural = what.removesuffix("y") + "ies" if what.endswith("y") else what + "s"
    return f"{number:,} {what if number == 1 else plural}"
