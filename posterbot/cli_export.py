"""The command that makes a training set of what was kept."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import Engine

from posterbot.catalogue.display import printable, size
from posterbot.cli_asking import INTERRUPTED, Failure, ask, catalogue_option, number_of, store_option
from posterbot.cli_progress import Shown
from posterbot.export.formats.formats import FORMATS
from posterbot.export.options import FITS, GROUPINGS, PURPOSES, Options

if TYPE_CHECKING:
    from posterbot.export.export import Exported

RESUME = "mended, the same command with --resume goes on"


class Shares(click.ParamType):  # type: ignore[type-arg]  # generic only in newer Click
    """``0.8/0.1/0.1``."""

    name = "TRAIN/VALIDATION/TEST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Three numbers of 0 to 1 that sum to 1."""
        if isinstance(value, tuple):
            return value
        try:
            shares = tuple(float(share) for share in str(value).split("/"))
        except ValueError:
            shares = ()
        if len(shares) != 3 or not all(0 <= share <= 1 for share in shares):
            return self.fail(f"{value!r} is not three shares of 0 to 1, such as 0.8/0.1/0.1", param, ctx)
        if not math.isclose(sum(shares), 1, abs_tol=1e-6):
            return self.fail(f"{value}: the shares sum to {sum(shares):g}, not to 1", param, ctx)
        return shares


@click.command()
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), required=True, help="json is as COCO has it.")
@click.option("--out", metavar="FOLDER|URI", required=True, help="An empty folder, gs://…, s3://…, az://… or ftp://…")
@click.option("--size", "side", type=click.IntRange(8, 16_384), metavar="N", help="JPEGs of N pixels; see --fit.")
@click.option(
    "--fit",
    type=click.Choice(FITS),
    help="What --size is of: the longer side (default), the shorter, or a square: cropped, padded or stretched.",
)
@click.option("--originals", is_flag=True, help="The original bytes; so it is without --size.")
@click.option("--where", metavar="EXPRESSION", default="", help="Only these, as in: label = 'poster' and year >= 1950")
@click.option(
    "--split", type=Shares(), default=(1.0, 0.0, 0.0), help="Shares, as in 0.8/0.1/0.1. Default: all to train."
)
@click.option(
    "--by",
    type=click.Choice(GROUPINGS),
    default="film",
    show_default=True,
    help="What is never in two splits. Films and near copies never are.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For splits and order.")
@click.option("--purpose", type=click.Choice(PURPOSES), help="Leave out what terms of sources do not allow it for.")
@click.option(
    "--agreement", "agreements", metavar="SOURCE", multiple=True, help="This source has agreed, whatever its terms say."
)
@click.option("--rich", is_flag=True, help="With tfrecord: all that is known, not only what the public trainer reads.")
@click.option("--pairs", is_flag=True, help="Also tables of anchors, positives and hard negatives.")
@click.option(
    "--shard-size",
    "--shard-images",
    "shard_images",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    metavar="N",
    help="Most images in one shard.",
)
@click.option("--workers", type=click.IntRange(1, 256), metavar="N", help="Processes. Default: one for each core.")
@click.option("--resume", is_flag=True, help="Go on with what was interrupted.")
@store_option
@catalogue_option
def export(
    format_: str,
    out: str,
    side: int | None,
    fit: str | None,
    originals: bool,
    where: str,
    split: tuple[float, float, float],
    by: str,
    seed: int,
    purpose: str | None,
    agreements: tuple[str, ...],
    rich: bool,
    pairs: bool,
    shard_images: int,
    workers: int | None,
    resume: bool,
    uri: str,
    url: str,
) -> None:
    """Make a training set of the kept images.

    First films and duplicates of what has come since the last time are found. Splits are by film and near copy, and are
    checked for leaks. The same catalogue and options give the same bytes.
    What was interrupted goes on with --resume. Exit code 1 also where images are missing: missing.csv lists them.
    """
    if originals and (side or fit):
        raise click.UsageError("--originals takes neither --size nor --fit")
    if fit and not side:
        raise click.UsageError("--fit says what --size is of: give --size too")
    if rich and format_ != "tfrecord":
        raise click.UsageError("--rich is for --format tfrecord; the others have all columns that they can have")
    options = Options(
        format=format_,
        size=side,
        fit=fit or "longer",
        where=where,
        split=split,
        by=by,
        seed=seed,
        purpose=purpose,
        agreements=tuple(sorted({name.strip().lower() for name in agreements})),
        rich=rich,
        pairs=pairs,
        shard_images=shard_images,
    )

    @_one_line(out)
    def answer(engine: Engine, _: int | None) -> Exported:
        from posterbot.duplicates.update import update
        from posterbot.export.export import export as make
        from posterbot.export.where import parse
        from posterbot.films.link import link

        parse(where)  # what is wrong with it should not be told after minutes
        with Shown() as shown:
            if not resume:
                link(engine, shown.at)
                update(engine, wait=True, progress=lambda done, of: shown.at("compared", done, of))
            return make(engine, uri, options, out, resume=resume, workers=workers, told=shown.at)

    exported = ask(url, None, answer)
    _print(exported, options)
    if exported.missing:
        raise SystemExit(1)


def _one_line(out: str) -> Callable[[Callable[..., Exported]], Callable[..., Exported]]:
    """What goes wrong outside, and Ctrl-C, as one line."""

    def around(call: Callable[..., Exported]) -> Callable[..., Exported]:
        @wraps(call)
        def told(*arguments: Any) -> Exported:
            from posterbot.export.export import DifferentError, LeakError
            from posterbot.export.lockfile import LockfileError
            from posterbot.export.pool import DiedError
            from posterbot.export.selection import EmptyError
            from posterbot.export.target import OccupiedError, TargetError
            from posterbot.export.terms import AgreementError
            from posterbot.export.where import WhereError
            from posterbot.stores.store import StoreError, UnavailableError

            try:
                return call(*arguments)
            except (OccupiedError, DifferentError, WhereError, AgreementError) as error:
                raise click.UsageError(printable(str(error))) from None
            except (EmptyError, LeakError, LockfileError) as error:
                raise Failure(str(error)) from None
            except (TargetError, StoreError, UnavailableError, DiedError) as error:
                raise Failure(f"{error}; {RESUME}") from None
            except OSError as error:
                said = os.strerror(error.errno) if error.errno else next(iter(str(error).splitlines()), "")
                raise Failure(f"cannot write to {out}: {said}; {RESUME}") from None
            except KeyboardInterrupt:
                click.echo("posterbot: interrupted: the same command with --resume goes on", err=True)
                raise SystemExit(INTERRUPTED) from None

        return told

    return around


def _print(exported: Exported, options: Options) -> None:
    """What is in the dataset, and what is not."""
    for remark in exported.remarks:
        click.echo(f"posterbot: {printable(remark)}", err=True)
    total = sum(exported.images.values())
    if not exported.written:
        click.echo(f"{exported.out} is complete already")
    by_split = ", ".join(f"{split} {number:,} ({number / total:.1%})" for split, number in exported.images.items())
    click.echo(f"{number_of(total, 'image')}: {by_split}")
    without = f"; {exported.without_film:,} without" if exported.without_film else ""
    click.echo(f"{number_of(exported.films, 'film')}{without}")
    labels = ", ".join(f"{printable(label)} {number:,}" for label, number in exported.labels.items())
    click.echo(f"labels: {labels}")
    for why, number in exported.left_out.items():
        click.echo(f"left out: {number:,} {printable(why)}")
    if exported.terms_unknown:
        use = "passed on" if options.purpose == "redistribution" else "used for training"
        stays = " and are in it" if options.purpose else ""
        click.echo(f"of {number_of(exported.terms_unknown, 'image')} it is not known whether they may be {use}{stays}")
    if len(exported.images) > 1:
        also = " or source" if options.by == "source" else ""
        click.echo(f"no film{also} and no near copy is in two splits: checked")
    if exported.written:
        click.echo(f"{size(exported.bytes)} in {exported.out}; README.md there is its card")
    for why, number in exported.missing.items():
        click.echo(f"posterbot: missing: {number_of(number, 'image')} {why}; see missing.csv", err=True)
