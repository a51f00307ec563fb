"""May an image go into a dataset? What the terms of its source and of its page's source say together.

The stricter of the two holds: what one forbids is forbidden, and what one does not say is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from posterbot.catalogue.terms import Terms, domains_of

NOT_ALLOWED = {"training": "training is not allowed", "redistribution": "redistribution is not allowed"}
TOO_OLD = "older than allowed"
_FOR_EVER = np.iinfo(np.int64).max


class AgreementError(ValueError):
    """An agreement is stated with a source that is not in the catalogue."""


class AllTerms:
    """The terms of all sources of a catalogue.

    Args:
        names: number of a source → its name.
        effective: its terms, by name.
        agreements: names of sources that have agreed to whatever is done, with their sub-domains.

    Raises:
        AgreementError: one of them is not there.
    """

    def __init__(
        self, names: Mapping[int, str], effective: Callable[[str], Terms], agreements: Collection[str] = ()
    ) -> None:
        agreed = {number: set(agreements).intersection(domains_of(name)) for number, name in names.items()}
        unknown = sorted(set(agreements).difference(*agreed.values()))
        if unknown:
            raise AgreementError(f"--agreement {unknown[0]}: there is no such source in this catalogue")
        self.names = names
        self._terms = {number: effective(name) for number, name in names.items()}
        self._agreed = {number for number, of in agreed.items() if of}

    def of(self, source: int) -> Terms:
        """As they are recorded."""
        return self._terms[source]

    def together(self, source: int, page_source: int) -> Terms:
        """Of an image from ``source`` on a page of ``page_source``, as they are recorded."""
        return stricter(self._terms[source], self._terms[page_source])

    def ml_allowed(self) -> dict[int, bool | None]:
        """By source."""
        return {number: terms.ml_allowed for number, terms in self._terms.items()}

    def redistributable(self) -> dict[int, bool | None]:
        """By source."""
        return {number: terms.redistributable for number, terms in self._terms.items()}

    def barred(
        self, purpose: str, source: np.ndarray, page_source: np.ndarray, fetched: np.ndarray, today: datetime
    ) -> tuple[np.ndarray, dict[str, int]]:
        """Which images must stay out, and how many for which reason and source.

        Args:
            purpose: one of ``options.PURPOSES``.
            source: number of each image's source, int64.
            page_source: and of its page's.
            fetched: when, in seconds since 1970, int64.
            today: what ages are counted from.
        """
        size = max(self._terms, default=0) + 1
        forbids, since = np.zeros(size, bool), np.full(size, -_FOR_EVER)
        for number, terms in self._terms.items():
            if number in self._agreed:
                continue
            forbids[number] = (terms.ml_allowed if purpose == "training" else terms.redistributable) is False
            if terms.max_age_days is not None:
                since[number] = int((today - timedelta(days=min(terms.max_age_days, 100_000))).timestamp())
        out = np.zeros(len(source), bool)
        why: dict[str, int] = {}
        for reason, bars in ((NOT_ALLOWED[purpose], lambda of: forbids[of]), (TOO_OLD, lambda of: fetched < since[of])):
            for of in (source, page_source):
                now = bars(of) & ~out
                out |= now
                for number, images in zip(*np.unique(of[now], return_counts=True), strict=True):
                    said = f"{reason}: {self.names[int(number)]}"
                    why[said] = why.get(said, 0) + int(images)
        return out, why


def stricter(one: Terms, other: Terms) -> Terms:
    """What holds where both do; attribution and address are those of the first that has any."""
    ages = [age for age in (one.max_age_days, other.max_age_days) if age is not None]
    return replace(
        one,
        ml_allowed=_both(one.ml_allowed, other.ml_allowed),
        redistributable=_both(one.redistributable, other.redistributable),
        max_age_days=min(ages, default=None),
        attribution=one.attribution or other.attribution,
        terms_url=one.terms_url or other.terms_url,
    )


def _both(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return True if one and other else None
