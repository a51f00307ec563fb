"""Which ids are names of one film, and which are contested: said of several films that cannot be one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from posterbot.films.ids import IMDB, TMDB, WIKIDATA
from posterbot.films.mentions import IMDB as OF_IMDB
from posterbot.films.mentions import IMPORTED, LIST, TABLE, Mention

Id = tuple[str, str]
"""Scheme and value."""

MAJORITY = 2 / 3
"""Of the mentions of an id must agree on what it is, for the others to be errors."""


@dataclass(slots=True)
class Ownership:
    """What ids stand for."""

    roots: dict[Id, Id] = field(default_factory=dict)
    """The strongest id of the film that each id is a name of; that of an IMDb id is itself."""
    contested: dict[Id, tuple[Id, ...]] = field(default_factory=dict)
    """Ids that are no film's, and whose they would be."""

    def root(self, mention: Mention) -> Id | None:
        """The film that the ids of a mention name; None where it has none, or only contested ones."""
        for pair in mention.ids.pairs():
            if pair in self.roots:
                return self.roots[pair]
        return None


def own(mentions: Iterable[Mention]) -> Ownership:
    """Find out what each id stands for; the order of the mentions does not matter.

    A weaker id belongs to the stronger one with which it is mentioned. With several, or where two ids of one scheme
    would be the same film's, it belongs to none, unless a table says so.
    """
    mentions = list(mentions)
    ownership = Ownership()
    for mention in mentions:
        if mention.ids.imdb:
            ownership.roots[IMDB, mention.ids.imdb] = (IMDB, mention.ids.imdb)
    for scheme in (TMDB, WIKIDATA):
        _own_weaker(scheme, mentions, ownership)
    return ownership


def _own_weaker(scheme: str, mentions: Sequence[Mention], ownership: Ownership) -> None:
    all_pairs: set[tuple[Id, Id]] = set()
    of_tables: set[tuple[Id, Id]] = set()
    ids: set[Id] = set()
    for mention in mentions:
        value = getattr(mention.ids, scheme)
        if not value:
            continue
        ids.add((scheme, value))
        stronger = (pair for pair in mention.ids.pairs() if pair[0] != scheme)
        root = next((ownership.roots[pair] for pair in stronger if pair in ownership.roots), None)
        if root:
            all_pairs.add((root, (scheme, value)))
            if mention.origin in IMPORTED:
                of_tables.add((root, (scheme, value)))
    owners, names = _both_ways(all_pairs)
    table_owners, table_names = _both_ways(of_tables)
    for weaker in sorted(ids):
        claiming = table_owners[weaker] or owners[weaker]
        if not claiming:
            ownership.roots[weaker] = weaker
            continue
        root = min(claiming)
        if len(claiming) == 1 and (table_names[root] or names[root]) == {weaker}:
            ownership.roots[weaker] = root
        else:
            ownership.contested[weaker] = tuple(sorted(claiming))


def _both_ways(pairs: Iterable[tuple[Id, Id]]) -> tuple[dict[Id, set[Id]], dict[Id, set[Id]]]:
    owners: dict[Id, set[Id]] = defaultdict(set)
    names: dict[Id, set[Id]] = defaultdict(set)
    for root, weaker in pairs:
        owners[weaker].add(root)
        names[root].add(weaker)
    return owners, names


def misfits(mentions: Sequence[Mention]) -> set[int] | None:
    """Of mentions of one id, the places of those that are of another film by title and year.

    Two do not fit where the titles differ and the years are more than one apart. A table decides who is right, else
    the lists where they agree, else a majority of :data:`MAJORITY`; None: nobody can tell.
    """
    groups = _fitting([(place, mention) for place, mention in enumerate(mentions) if mention.key and mention.year])
    if len(groups) < 2:
        return set()
    right: list[int] | None = None
    for origin in (TABLE, OF_IMDB, LIST):
        having = [group for group in groups if any(mentions[place].origin == origin for place in group)]
        if having:
            right = having[0] if len(having) == 1 else None
            break
    else:
        largest = max(groups, key=len)
        right = largest if len(largest) >= MAJORITY * sum(map(len, groups)) else None
    return None if right is None else {place for group in groups if group is not right for place in group}


def _fitting(mentions: Sequence[tuple[int, Mention]]) -> list[list[int]]:
    """Sets of mentions, by their places, that fit together, each with some other of its set."""
    groups: list[tuple[set[str], set[int], list[int]]] = []
    for place, mention in mentions:
        keys, years, places = {mention.key}, {mention.year or 0}, [place]
        apart = []
        for group in groups:
            if keys & group[0] or any(abs(one - other) <= 1 for one in years for other in group[1]):
                keys |= group[0]
                years |= group[1]
                places += group[2]
            else:
                apart.append(group)
        groups = [*apart, (keys, years, places)]
    return [sorted(places) for _, _, places in groups]
