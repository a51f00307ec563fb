"""From a catalogue and options to a lockfile: the images of a dataset, in its order, with all that is told of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, select

from posterbot import __version__
from posterbot.catalogue.schema import candidates, images, models, policies, sources
from posterbot.catalogue.schema_films import films, image_films
from posterbot.catalogue.terms import effective_terms
from posterbot.export import kept
from posterbot.export.example import SPLITS, Example
from posterbot.export.lockfile import Header, LockWriter, Rule, Source
from posterbot.export.options import Options
from posterbot.export.selection import Selection, Told, choose, one_moment
from posterbot.export.splits import Assignment, assign, shuffled
from posterbot.export.terms import AllTerms

AT_ONCE = 500
"""Rows that are asked for by number."""
_PLAIN = [name for name in kept.FACTS if name not in {"page_source_id", "genres"}]


def write_plan(
    engine: Engine, options: Options, file: Path, today: datetime, told: Told = lambda verb, done: None
) -> list[str]:
    """Choose and split images, and write the lockfile from which a dataset is made.

    Args:
        engine: of the catalogue, which is only read, as of one moment.
        options: what is asked for.
        file: the lockfile.
        today: from which the age of images is counted, where terms limit it.
        told: called now and then.

    Returns:
        What a person should know of it: one line each.

    Raises:
        EmptyError: nothing is chosen.
        WhereError: ``options.where`` is no expression.
        AgreementError: an agreement is with nobody.
        OSError: the file cannot be written.
    """
    effective = effective_terms(engine)
    with one_moment(engine) as connection:
        names = {row.id: row.name for row in connection.execute(select(sources.c.id, sources.c.name))}
        terms = AllTerms(names, effective, options.agreements)
        selection = choose(connection, options, terms, today, told)
        links = list(selection.links)
        if options.by == "source":
            links.append((np.arange(len(selection.image)), selection.source))
        assignment = assign(selection.sha256, links, options.split, options.seed)
        chance = shuffled(selection.sha256, options.seed)
        order = np.lexsort((*selection.sha256.T[::-1], chance, assignment.split))
        with LockWriter(file, _header(connection, options, selection, terms)) as writer:
            done = 0
            for split, number, places in _shards(order, assignment.split, options.shard_images):
                writer.write(_examples(connection, selection.image[places], split, number, terms))
                done += len(places)
                told("planned", done)
    return _remarks(selection, assignment, options)


def _shards(order: np.ndarray, split: np.ndarray, size: int) -> Iterator[tuple[str, int, np.ndarray]]:
    for number, name in enumerate(SPLITS):
        places = order[split[order] == number]
        for shard in range(-(-len(places) // size)):
            yield name, shard, places[shard * size : (shard + 1) * size]


def _header(connection: Connection, options: Options, selection: Selection, terms: AllTerms) -> Header:
    numbers, counts = np.unique(selection.source, return_counts=True)
    found = []
    for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
        of = terms.of(number)
        found.append(
            Source(
                terms.names[number],
                count,
                of.ml_allowed,
                of.redistributable,
                of.attribution,
                of.max_age_days,
                of.terms_url,
            )
        )
    return Header(
        options=options,
        version=__version__,
        labels=tuple(selection.labels),
        genres=_genres(connection, selection.film),
        rules=_rules(connection, np.unique(selection.policy).tolist()),
        sources=tuple(sorted(found, key=lambda source: (-source.images, source.name))),
        left_out=dict(sorted(selection.left_out.items())),
    )


def _rules(connection: Connection, numbers: Sequence[int]) -> tuple[Rule, ...]:
    found = []
    for some in _some(numbers):
        asked = (
            select(policies, models.c.name.label("model"), models.c.hash.label("model_hash"))
            .join(models, models.c.id == policies.c.model_id)
            .where(policies.c.id.in_(some))
            .order_by(policies.c.id)
        )
        for row in connection.execute(asked).mappings():
            labels = tuple(row["labels"])
            found.append(Rule(row["id"], labels, row["threshold"], row["top"], row["model"], row["model_hash"]))
    return tuple(found)


def _genres(connection: Connection, film: np.ndarray) -> tuple[str, ...]:
    found: set[str] = set()
    for some in _some(np.unique(film[film >= 0]).tolist()):
        for genres in connection.scalars(select(films.c.genres).where(films.c.id.in_(some))):
            found.update(genres)
    return tuple(sorted(found))


def _examples(connection: Connection, numbers: np.ndarray, split: str, shard: int, terms: AllTerms) -> list[Example]:
    """The images of these numbers, in this order."""
    found: dict[int, Example] = {}
    for some in _some(numbers.tolist()):
        linked: dict[int, set[str]] = {}
        asked = (
            select(image_films.c.image_id, kept.film_name(films))
            .select_from(image_films.join(films, films.c.id == image_films.c.film_id))
            .where(image_films.c.image_id.in_(some))
        )
        for image, name in connection.execute(asked):
            linked.setdefault(image, set()).add(name)
        columns = [kept.FACTS[name].label(name) for name in kept.FACTS]
        rows = (
            select(images.c.id, candidates.c.source_id, *columns).select_from(kept.TABLES).where(images.c.id.in_(some))
        )
        for row in connection.execute(rows).mappings():
            films_of = tuple(sorted(linked.get(row["id"], ())))
            found[row["id"]] = _example(row, films_of, split, shard, terms)
    return [found[number] for number in numbers.tolist()]


def _example(row: Any, linked: tuple[str, ...], split: str, shard: int, terms: AllTerms) -> Example:
    of = terms.together(row["source_id"], row["page_source_id"])
    return Example(
        **{name: row[name] for name in _PLAIN},
        split=split,
        shard=shard,
        films=linked,
        genres=tuple(row["genres"] or ()),
        ml_allowed=of.ml_allowed,
        redistributable=of.redistributable,
        attribution=of.attribution,
        terms_url=of.terms_url,
    )


def _some(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[at : at + AT_ONCE] for at in range(0, len(numbers), AT_ONCE))


def _remarks(selection: Selection, assignment: Assignment, options: Options) -> list[str]:
    count, remarks = len(selection.image), []
    shares = [share for share in options.split if share]
    if len(shares) > 1 and selection.unclustered:
        remarks.append(
            f"of {selection.unclustered:,} of {count:,} images it is not known what they are copies of: "
            "run posterbot duplicates first, or near copies may be in two splits"
        )
    if len(shares) > 1 and assignment.largest > min(shares) * count:
        remarks.append(
            f"{assignment.largest:,} of {count:,} images hang together by films, copies or "
            f"{'sources' if options.by == 'source' else 'hashes'}, and are in one split: the shares are met less well"
        )
    return remarks
