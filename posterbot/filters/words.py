"""What alt text, caption and address say, as the text classifier reads them; see docs/text.md.

Only a sure *no* drops. A sure *yes* overrules no other rule: of what names and declared sizes drop, the classifier
takes hardly anything for a poster.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from models.text import Answer, TextClassifier
from posterbot.page import Candidate
from posterbot.reasons import Reason

POSTERS = frozenset({"poster", "poster_square"})
"""The labels that the classifier knows; of anything else it must not be asked."""


class UnlikelyWords:
    """Drops what its words surely do not call a poster.

    Args:
        wanted: labels that are looked for; where one is not among POSTERS, nothing is dropped.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._classifier = TextClassifier() if POSTERS.issuperset(wanted) else None

    def judge_all(self, candidates: Sequence[Candidate]) -> list[tuple[bool, Reason]]:
        """(True, RELEVANT) or (False, UNLIKELY_WORDS) for each; together they take a tenth of the time."""
        if self._classifier is None:
            return [(True, Reason.RELEVANT)] * len(candidates)
        surely_not = (text.answer is Answer.SURELY_NOT for text in self._classifier.judge_all(candidates))
        return [(False, Reason.UNLIKELY_WORDS) if no else (True, Reason.RELEVANT) for no in surely_not]
