"""What is not worth a request: the rules, in order of cost, and the share that passes them all to measure what is lost.

A candidate that a person has named in a list is never gated, nor the picture that a page itself is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from posterbot.catalogue import gates
from posterbot.catalogue.records import Page
from posterbot.filters.barren import Barren, share_of
from posterbot.filters.declared import DeclaredAspect, DeclaredSize
from posterbot.filters.names import NamePattern
from posterbot.filters.words import UnlikelyWords
from posterbot.page import Candidate, FoundBy
from posterbot.reasons import Reason

GATES = tuple(map(Reason, gates.GATES))
"""All of them. The first one that strikes is the reason."""

EXPLORE = 0.02
"""Share of what they strike that is fetched all the same."""

Rule = Callable[[Candidate, Page], tuple[bool, Reason]]


@dataclass(frozen=True, slots=True)
class Gated:
    """A gate struck: ``reason`` says which. ``explored``: it is fetched all the same, to measure what is lost."""

    reason: Reason
    explored: bool


@dataclass(frozen=True, slots=True)
class GateSettings:
    """``on``: some of GATES. ``explore``: 0–1, as EXPLORE. ``width``, ``height``: the smallest that is kept, pixels."""

    on: tuple[Reason, ...] = GATES
    explore: float = EXPLORE
    width: int = 100
    height: int = 100


class Gates:
    """The gates for one set of wanted labels. Belongs to one thread.

    Args:
        settings: which are on, and what is too small.
        run: number; another run explores another share.
        wanted: labels that are looked for. Rules that know too little of one of them drop nothing.
        barren: what is known of the shapes of addresses, for this rule of what is kept.
    """

    def __init__(self, settings: GateSettings, run: int, wanted: Collection[str], barren: Barren) -> None:
        rules: dict[Reason, Rule] = {
            Reason.DECLARED_SIZE: DeclaredSize(settings.width, settings.height, wanted),
            Reason.DECLARED_ASPECT: DeclaredAspect(wanted),
            Reason.NAME_PATTERN: NamePattern(wanted),
            Reason.BARREN_PATTERN: barren,
        }
        self._rules = [rules[gate] for gate in GATES if gate in rules and gate in settings.on]
        self._words = UnlikelyWords(wanted) if Reason.UNLIKELY_WORDS in settings.on else None
        self._explore = settings.explore
        self._salt = f"{run} explore"

    def judge(self, candidates: Sequence[Candidate], page: Page) -> dict[int, Gated]:
        """Index of each candidate that a gate strikes → which, and whether it is fetched all the same.

        Some 20 µs for each candidate; the same answer in every process that knows the same of barren shapes.
        """
        struck: dict[int, Reason] = {}
        left: list[int] = []
        for index, candidate in enumerate(candidates):
            if candidate.found_by is FoundBy.LIST or candidate.url == page.url:
                continue
            verdicts = (rule(candidate, page) for rule in self._rules)
            reason = next((reason for keep, reason in verdicts if not keep), None)
            if reason is None:
                left.append(index)
            else:
                struck[index] = reason
        if self._words is not None and left:
            verdict_of = zip(left, self._words.judge_all([candidates[index] for index in left]), strict=True)
            struck |= {index: reason for index, (keep, reason) in verdict_of if not keep}
        return {
            index: Gated(reason, share_of(self._salt, candidates[index].url) < self._explore)
            for index, reason in sorted(struck.items())
        }
