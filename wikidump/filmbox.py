"""From the parameters of one box to the facts of a row, by the names that a wiki has for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wikidump import facts
from wikidump.filename import image_name, original_url
from wikidump.imdb import imdb_id
from wikidump.licence import repository_code
from wikidump.wikis import Wiki, folded

FIRST_LOCAL_YEAR = 1930
"""Posters of older films are mostly in the public domain and lie on Commons: 76 % on enwiki for the 1920s, 22 % for the
1930s, of 30,368 files."""


@dataclass(frozen=True, slots=True)
class BoxImage:
    """The image of a box; the fields are those of :class:`wikidump.rows.Row`."""

    name: str | None
    status: str
    url: str | None
    repository: str | None


class Parameters:
    """The parameters of a box by their names in one wiki; case, underscores and a final number do not matter."""

    def __init__(self, wiki: Wiki, given: Mapping[str, str]) -> None:
        self._wiki = wiki
        self._values: dict[str, str] = {}
        for name, value in given.items():
            name = folded(name)
            if value.strip() or name not in self._values:
                self._values[name] = value

    def first(self, fact: str) -> str | None:
        """The first value for ``fact`` that is not blank; a blank one if there are only such; None if there is none."""
        values = self.all(fact)
        return next((value for value in values if value.strip()), values[0] if values else None)

    def all(self, fact: str) -> list[str]:
        """All values for ``fact``, the best first."""
        values = self._values
        return [values[name] for name in self._wiki.parameters[fact] if name in values]

    def names(self, fact: str) -> tuple[str, ...]:
        """The names that the first parameter for ``fact`` lists, and those numbered after it (``director2``)."""
        values = self._values
        for name in self._wiki.parameters[fact]:
            if values.get(name, "").strip() or values.get(f"{name}1", "").strip():
                numbered = (values.get(f"{name}{space}{number}") for number in range(1, 10) for space in ("", " "))
                found = [each for value in (values.get(name), *numbered) if value for each in facts.names(value)]
                if found:
                    return tuple(dict.fromkeys(found))
        return ()

    def image(self) -> BoxImage:
        """The image, with the URL it has if the guess is right that it lies on the wiki itself, or on Commons."""
        wiki = self._wiki
        elsewhere, there = image_name(self.first("poster_on_enwiki"), "enwiki")
        if elsewhere and there == "ok":  # the other image, if there is one, is none of a poster
            return BoxImage(elsewhere, "ok", original_url(elsewhere, "en"), "enwiki")
        name, status = image_name(self.first("image"), wiki.name)
        if name is None or status != "ok":
            return BoxImage(name, status, None, None)
        year = self.year()
        local = wiki.takes_nonfree and (year is None or year >= FIRST_LOCAL_YEAR)
        return BoxImage(name, status, original_url(name, repository_code(wiki.name) if local else "commons"), None)

    def year(self) -> int | None:
        """The year of the first release, or None."""
        return next((year for value in self.all("year") if (year := facts.year(value))), None)

    def imdb_id(self) -> str | None:
        """The id the box gives, or None."""
        return next((found for value in self.all("imdb") if (found := imdb_id(value))), None)
