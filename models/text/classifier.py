"""The text classifier: surely not a poster, unsure, or likely one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from models.classifier import ModelError
from models.text.features import BUCKETS, SHORT, Ngrams, is_informative, read_fields

WEIGHTS = Path(__file__).parents[1] / "weights" / "text" / "weights.npz"
BATCH = 512
"""Candidates hashed at once: their n-grams then fit into the processor's cache."""


class Answer(StrEnum):
    """What the words around an image say of it."""

    SURELY_NOT = "surely_not"
    """Not worth a download when posters are wanted."""
    UNSURE = "unsure"
    """The words do not tell; the network has to look."""
    LIKELY = "likely"
    """Worth downloading first; nothing more should hang on it."""


@dataclass(frozen=True, slots=True)
class Text:
    """One judgement. ``score`` is between 0 and 1, rises with likeness to a poster, and is no probability."""

    answer: Answer
    score: float


class Words(Protocol):
    """What is judged: posterbot's candidates have these, and so may anything else."""

    @property
    def alt(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def caption(self) -> str: ...  # noqa: D102
    @property
    def url(self) -> str: ...  # noqa: D102


class TextClassifier:
    """Logistic regression over hashed character n-grams. It may be shared between threads.

    ``file`` is an ``.npz`` with ``weights`` int8 (BUCKETS,), and float64 scalars ``scale``, ``bias``, ``surely_not``
    and ``likely``: the logits at or under and at or over which the answer is other than unsure.
    """

    def __init__(self, file: Path = WEIGHTS) -> None:
        try:
            with np.load(file, allow_pickle=False) as stored:
                self._weights = stored["weights"]
                scalars = [float(stored[name]) for name in ("scale", "bias", "surely_not", "likely")]
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise ModelError(f"text model: {file} cannot be read ({str(error).splitlines()[0]})") from None
        self._scale, self._bias, self.surely_not, self.likely = scalars
        if self._weights.shape != (BUCKETS,) or self._weights.dtype != np.int8:
            found = f"{self._weights.dtype} {self._weights.shape}"
            raise ModelError(f"text model: {file} holds weights {found}, expected int8 ({BUCKETS},)")
        if not np.isfinite(scalars).all() or not self.surely_not < self.likely:
            raise ModelError(f"text model: {file} holds no usable thresholds ({self.surely_not}, {self.likely})")

    def judge(self, alt: str = "", title: str = "", caption: str = "", url: str = "") -> Text:
        """Judge one image. Any text is accepted, never an error.

        Where alt text, title and file name hold no word the answer is :attr:`Answer.UNSURE`.
        """
        return self._judge([read_fields(alt, title, caption, url)])[0]

    def judge_all(self, candidates: Iterable[Words]) -> list[Text]:
        """Judge many, in their order; ten times as fast for each as one by one."""
        fields = [read_fields(each.alt, each.title, each.caption, each.url) for each in candidates]
        return [text for i in range(0, len(fields), BATCH) for text in self._judge(fields[i : i + BATCH])]

    def logits(self, fields: Sequence[tuple[str, ...]]) -> NDArray[np.float64]:
        """The log-odds of normalised fields (:func:`~models.text.features.read_fields`), float64 (N,)."""
        ngrams = Ngrams(fields)
        sums = np.zeros(int(ngrams.starts[-1]) + 1, np.int32)
        for bucket in ngrams.buckets():
            sums[1 : len(bucket) + 1] += self._weights[bucket]
        totals = np.cumsum(sums, dtype=np.int64)[ngrams.starts]
        evidence: NDArray[np.float64] = np.diff(totals) * self._scale / np.sqrt(ngrams.counts + SHORT)
        return evidence + self._bias

    def _judge(self, fields: list[tuple[str, ...]]) -> list[Text]:
        logits = self.logits(fields)
        scores = 1 / (1 + np.exp(-logits))
        return [
            Text(self._answer(logit, words), score)
            for logit, score, words in zip(logits.tolist(), scores.tolist(), fields, strict=True)
        ]

    def _answer(self, logit: float, fields: tuple[str, ...]) -> Answer:
        if self.surely_not < logit < self.likely or not is_informative(fields):
            return Answer.UNSURE
        return Answer.LIKELY if logit >= self.likely else Answer.SURELY_NOT
