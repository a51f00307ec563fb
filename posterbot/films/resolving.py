"""Which mentions are of one film. A pure function of all mentions that can have to do with each other.

An id decides. Without one, title and year do, where no director contradicts: of two films with one title and year a
mention without more is of neither. A title alone means the only film of that title, if there is only one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from posterbot.films import evidence
from posterbot.films.mentions import TEXT, Mention
from posterbot.films.ownership import Id, Ownership, misfits, own

CONTESTED_ID, CONTESTED_FACTS = "id", "facts"
"""Kinds of conflicts: one weaker id of several films; one id of films that differ in title and year."""


@dataclass(slots=True)
class Group:
    """Mentions of one film, by their places in what was given."""

    root: Id | None = None
    """The strongest id; None: it has none."""
    members: list[int] = field(default_factory=list)
    ids: tuple[Id, ...] = ()
    keys: set[str] = field(default_factory=set)
    years: dict[int, bool] = field(default_factory=dict)
    """Those that its mentions with an id state (of films without ids: all), and whether a list says so."""
    directors: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    listed: bool = True
    """Only lists mention it."""

    def add(self, place: int, mention: Mention) -> None:
        """Add a mention that tells what the film is."""
        self.members.append(place)
        if mention.key:
            self.keys.add(mention.key)
        if mention.year:
            self.years[mention.year] = self.years.get(mention.year, False) or mention.listed
        self.directors.update(mention.directors)
        if mention.kind:
            self.kinds.add(mention.kind)
        self.listed = self.listed and mention.listed

    def fits(self, mention: Mention) -> bool:
        """Does nothing contradict that ``mention`` is of this film? Title and year are not looked at."""
        return directors_fit(self.directors, mention.directors) and (
            mention.kind is None or not self.kinds or mention.kind in self.kinds
        )


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What cannot be; the places of two mentions of films that are concerned."""

    kind: str
    place: int
    other: int
    detail: str


@dataclass(slots=True)
class Resolution:
    """The films, which mention means which of them, and how sure that is."""

    groups: list[Group] = field(default_factory=list)
    meant: dict[int, tuple[int, float]] = field(default_factory=dict)
    """Place of a mention → number in ``groups`` and certainty; mentions that could be several films are not in it."""
    contradictions: list[Contradiction] = field(default_factory=list)


def directors_fit(some: set[str], others: Sequence[str]) -> bool:
    """Can these words be of the same people's names? Names in different scripts cannot be compared, and so they can."""
    ours, theirs = _comparable(some), _comparable(others)
    return not ours or not theirs or not ours.isdisjoint(theirs)


def _comparable(words: Iterable[str]) -> set[str]:
    return {word for word in words if word.isascii()}


def resolve(mentions: Sequence[Mention]) -> Resolution:
    """Find the films. The order of the mentions has no influence on which of them go together."""
    found = Resolution()
    ownership = own(mentions)
    of_root: dict[Id, list[int]] = defaultdict(list)
    nameless: list[int] = []
    order = sorted(range(len(mentions)), key=lambda place: mentions[place].digest)
    for place in order:
        root = ownership.root(mentions[place])
        if root:
            of_root[root].append(place)
        elif not mentions[place].ids:
            nameless.append(place)
    for root in sorted(of_root):
        nameless += _by_id(found, mentions, root, of_root[root])
    _name(found, mentions, ownership)
    _contested_ids(found, mentions, ownership)
    of_key: dict[str, list[int]] = defaultdict(list)
    for place in sorted(nameless, key=lambda place: mentions[place].digest):
        if mentions[place].key:
            of_key[mentions[place].key].append(place)
    with_key: dict[str, list[int]] = defaultdict(list)
    for number, group in enumerate(found.groups):
        for key in group.keys:
            with_key[key].append(number)
    for key in sorted(of_key):
        _Title(found, mentions, with_key[key]).resolve(of_key[key])
    return found


def _by_id(found: Resolution, mentions: Sequence[Mention], root: Id, places: list[int]) -> list[int]:
    """The film with this id; gives mentions that cannot be of it, whatever they say."""
    wrong = misfits([mentions[place] for place in places])
    if wrong is None or wrong:
        first, other = _unlike(mentions, places, wrong)
        said = " and ".join(sorted(_shown(mentions[place]) for place in (first, other)))
        detail = f"{root[0]} {root[1]} is said to be {said}"
        found.contradictions.append(Contradiction(CONTESTED_FACTS, first, other, detail))
    if wrong is None:
        return places
    group = Group(root)
    for place, at in enumerate(places):
        if place not in wrong:
            group.add(at, mentions[at])
            found.meant[at] = (len(found.groups), evidence.BY_ID)
    found.groups.append(group)
    return [places[place] for place in sorted(wrong)]


def _unlike(mentions: Sequence[Mention], places: list[int], wrong: set[int] | None) -> tuple[int, int]:
    told = [place for place in places if mentions[place].key and mentions[place].year]
    if wrong:
        right = [place for number, place in enumerate(places) if number not in wrong and place in told]
        return min(right, key=lambda one: mentions[one].digest), places[min(wrong)]
    first = told[0]
    for other in told[1:]:
        if misfits([mentions[first], mentions[other]]) != set():
            return first, other
    return first, told[-1]


def _name(found: Resolution, mentions: Sequence[Mention], ownership: Ownership) -> None:
    for group in found.groups:
        stated = {pair for place in group.members for pair in mentions[place].ids.pairs()}
        group.ids = tuple(sorted(pair for pair in stated if ownership.roots.get(pair) == group.root))


def _contested_ids(found: Resolution, mentions: Sequence[Mention], ownership: Ownership) -> None:
    first = {
        group.root: min(group.members, key=lambda place: mentions[place].digest)
        for group in found.groups
        if group.root and group.members
    }
    for contested, claiming in sorted(ownership.contested.items()):
        known = [first[root] for root in claiming if root in first]
        if known:
            names = " and ".join(f"{scheme} {value}" for scheme, value in claiming)
            detail = f"{contested[0]} {contested[1]} is said to be {names}"
            if len(claiming) == 1:
                detail = f"{contested[0]} {contested[1]} is one of several of {names}"
            found.contradictions.append(Contradiction(CONTESTED_ID, known[0], known[-1], detail))


def _shown(mention: Mention) -> str:
    return f"{mention.title} ({mention.year})"


class _Title:
    """Mentions without ids of films with one title.

    Args:
        found: where films are added.
        mentions: all.
        known: numbers of the films with ids that have this title.
    """

    def __init__(self, found: Resolution, mentions: Sequence[Mention], known: list[int]) -> None:
        self._found, self._mentions, self._known = found, mentions, known
        self._new: list[int] = []

    def resolve(self, places: Sequence[int]) -> None:
        """Find the films of all of them."""
        stated = [place for place in places if self._mentions[place].origin != TEXT]
        texts = [place for place in places if self._mentions[place].origin == TEXT]
        left: dict[int, list[int]] = defaultdict(list)
        for place in stated:
            if (year := self._mentions[place].year) and not self._known_film(place):
                left[year].append(place)
        self._films_of_years(left)
        self._texts_with_year([place for place in texts if self._mentions[place].year])
        self._undated([place for place in stated if not self._mentions[place].year])
        for place in texts:
            if not self._mentions[place].year:
                self._join_only(place, self._known + self._new, evidence.BY_TITLE_ONLY)

    def _join(self, place: int, number: int, certainty: float) -> None:
        self._found.meant[place] = (number, certainty)

    def _join_only(self, place: int, numbers: Sequence[int], certainty: float) -> bool:
        if len(numbers) == 1:
            self._join(place, numbers[0], certainty)
        return bool(numbers)

    def _known_film(self, place: int) -> bool:
        """Join the film with an id that it must be. False: there is none it could be."""
        mention = self._mentions[place]
        year = mention.year or 0
        fitting = [number for number in self._known if self._found.groups[number].fits(mention)]
        exact = [number for number in fitting if year in self._found.groups[number].years]
        near = [number for number in fitting if self._is_near(number, year, mention.listed)]
        if exact:
            return self._join_only(place, exact, evidence.BY_TITLE_AND_YEAR)
        return self._join_only(place, near, evidence.BY_NEAR_YEAR)

    def _is_near(self, number: int, year: int, listed: bool) -> bool:
        years = self._found.groups[number].years
        return any(near in years and (listed or years[near]) for near in (year - 1, year + 1))

    def _films_of_years(self, left: dict[int, list[int]]) -> None:
        """Films of which nobody says an id."""
        of_year = {year: self._apart(left[year]) for year in sorted(left)}
        kept: list[Group] = []
        near: list[tuple[Group, Group]] = []
        for year, groups in of_year.items():
            for group in groups:
                beside = [other for at in (year - 1, year + 1) for other in of_year.get(at, ()) if not other.listed]
                if group.listed and len(beside) == 1 and directors_fit(beside[0].directors, sorted(group.directors)):
                    near.append((beside[0], group))
                else:
                    kept.append(group)
        number_of = {id(group): self._add(group, evidence.BY_TITLE_AND_YEAR) for group in kept}
        for group, of_list in near:
            for place in of_list.members:
                self._join(place, number_of[id(group)], evidence.BY_NEAR_YEAR)

    def _add(self, group: Group, certainty: float) -> int:
        number = len(self._found.groups)
        self._found.groups.append(group)
        self._new.append(number)
        for place in group.members:
            self._join(place, number, certainty)
        return number

    def _apart(self, places: Sequence[int]) -> list[Group]:
        """Mentions of one title and year as one film, unless their directors or kinds contradict."""
        bare = [place for place in places if not _comparable(self._mentions[place].directors)]
        groups: list[Group] = []
        for place in sorted(set(places).difference(bare), key=lambda place: self._mentions[place].digest):
            together = Group()
            together.add(place, self._mentions[place])
            apart = []
            for group in groups:
                if group.fits(self._mentions[place]):
                    for member in group.members:
                        together.add(member, self._mentions[member])
                else:
                    apart.append(group)
            groups = [*apart, together]
        kinds = sorted({kind for place in bare if (kind := self._mentions[place].kind)})
        if not groups:
            groups = [Group(kinds={kind}) for kind in kinds] or [Group()]
        known = [Group(directors=set(group.directors), kinds=set(group.kinds)) for group in groups]
        for place in bare:
            fitting = [number for number, group in enumerate(known) if group.fits(self._mentions[place])]
            if len(fitting) == 1:
                groups[fitting[0]].add(place, self._mentions[place])
        return [group for group in groups if group.members]

    def _texts_with_year(self, places: Sequence[int]) -> None:
        groups = self._found.groups
        texts: dict[int, Group] = {}
        for place in places:
            year = self._mentions[place].year or 0
            numbers = self._known + self._new
            exact = [number for number in numbers if year in groups[number].years]
            near = [number for number in numbers if self._is_near(number, year, listed=False)]
            if not self._join_only(
                place, exact or near, evidence.BY_TITLE_AND_YEAR if exact else evidence.BY_NEAR_YEAR
            ):
                texts.setdefault(year, Group()).add(place, self._mentions[place])
        for year in sorted(texts):
            self._add(texts[year], evidence.BY_TITLE_AND_YEAR)

    def _undated(self, places: Sequence[int]) -> None:
        numbers = self._known + self._new
        left: list[int] = []
        for place in places:
            mention = self._mentions[place]
            fitting = [number for number in numbers if self._found.groups[number].fits(mention)]
            of_director = [
                number for number in fitting if self._found.groups[number].directors.intersection(mention.directors)
            ]
            certainty = evidence.BY_TITLE_AND_DIRECTOR if of_director else evidence.BY_TITLE_ONLY
            if not self._join_only(place, of_director or fitting, certainty):
                left.append(place)
        for group in self._apart(left) if left else ():
            self._add(group, evidence.UNDATED)
