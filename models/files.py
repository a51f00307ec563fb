"""Files to scores, through the scorer, in the order in which they were named."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.analysis import Analysis, ScoreError
from models.decode import Header
from models.scorer import Scorer

IN_FLIGHT = 256
"""Answers that may wait for a slower image before them; with the scorer's own bound this limits memory."""
MAX_BYTES = 64 << 20
"""Larger files are not read: 64 MiB."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredFile:
    """One file's answer: ``scores``, or ``problem`` and ``detail`` (one line) where there are none.

    ``problem`` is a :class:`models.decode.ImageProblem`, or ``unreadable`` (the file could not be opened),
    ``too_many_bytes`` or ``score_failed``. ``scores`` is float32, one probability per label of the model. ``header``
    is None where not even that could be read.
    """

    path: Path
    sha256: str = ""
    header: Header | None = None
    scores: np.ndarray | None = None
    problem: str = ""
    detail: str = ""


def score_files(paths: Iterable[Path], scorer: Scorer) -> Iterator[ScoredFile]:
    """One answer per path, in order, whatever the files hold. ``paths`` is read only as far ahead as is scored."""
    waiting: deque[tuple[Path, Future[Analysis] | ScoredFile]] = deque()
    for path in paths:
        waiting.append((path, _submit(path, scorer)))
        while waiting and (len(waiting) >= IN_FLIGHT or _ready(waiting[0][1])):
            yield _answer(*waiting.popleft())
    while waiting:
        yield _answer(*waiting.popleft())


def _submit(path: Path, scorer: Scorer) -> Future[Analysis] | ScoredFile:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        return ScoredFile(path, problem="unreadable", detail=getattr(error, "strerror", None) or str(error))
    if len(data) > MAX_BYTES:
        return ScoredFile(path, problem="too_many_bytes", detail=f"more than {MAX_BYTES:,} bytes")
    return scorer.submit(data)


def _ready(answer: Future[Analysis] | ScoredFile) -> bool:
    return isinstance(answer, ScoredFile) or answer.done()


def _answer(path: Path, answer: Future[Analysis] | ScoredFile) -> ScoredFile:
    if isinstance(answer, ScoredFile):
        return answer
    try:
        analysis = answer.result()
    except ScoreError as error:
        return ScoredFile(path, problem="score_failed", detail=str(error))
    problem = str(analysis.problem or "")
    # The detail of an ImageError begins with its problem, which has a field of its own here.
    detail = analysis.detail.removeprefix(f"{problem}: ").partition("\n")[0]
    return ScoredFile(path, analysis.sha256, analysis.header, analysis.scores, problem, detail)
