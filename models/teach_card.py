"""The card of a taught model: what it was taught on, how well cross-validation found each label, what it confuses."""

from __future__ import annotations

from collections import Counter

import numpy as np
from sklearn.metrics import average_precision_score, confusion_matrix

from models.calibration import reliability
from models.classifier import Classifier
from models.lesson import Lesson
from models.teach import Taught

KEEP = 0.5
"""The threshold that precision and recall are given for: a crawl's default."""
HEADINGS = ("label", "images", "left out", "precision", "recall", "AP")


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, JASA 22, 1927); all of it, 0–1, where ``of`` is 0."""
    if not of:
        return 0.0, 1.0
    square, share = 1.959964**2, right / of
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = float(np.sqrt(square * (share * (1 - share) / of + square / (4 * of**2)))) / (1 + square / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def table(lesson: Lesson, taught: Taught) -> list[tuple[str, ...]]:
    """One row a label, in the columns of :data:`HEADINGS`: cross-validated, with 95 % intervals."""
    rows: list[tuple[str, ...]] = []
    for number, label in enumerate(lesson.labels):
        score, mine = taught.scores[:, number], lesson.examples.targets == number
        kept = score >= KEEP
        right = int((mine & kept).sum())
        left_out = "sources" if number in taught.by_source else "images"
        average = f"{average_precision_score(mine, score):.3f}"
        shares = _share(right, int(kept.sum())), _share(right, int(mine.sum()))
        rows.append((label, f"{mine.sum():,}", left_out, *shares, average))
    return rows


def card(name: str, base: Classifier, lesson: Lesson, taught: Taught, seed: int) -> str:
    """Markdown; the same lesson gives the same text."""
    examples, labels = lesson.examples, lesson.labels
    counts = Counter(zip(examples.targets.tolist(), examples.sources.tolist(), strict=True))
    best = taught.scores.argmax(1)
    calibration = reliability(taught.scores.max(1), best == examples.targets)
    confusion = confusion_matrix(examples.targets, best, labels=range(len(labels)))
    lines = [
        f"# {name}",
        "",
        f"Multinomial logistic regression on the {base.dimensions} frozen features of {base.name} ({base.hash[:12]}),",
        f"taught by `python -m models train {name} --from`, seed {seed}. C {taught.strength:g}, temperature",
        f"{float(taught.head.temperature):.2f}. Probabilities hold for a mixture like this one.",
        "",
        "## Taught on",
        "",
        f"{len(best):,} images; {len(lesson.unreadable):,} files could not be read.",
        "",
        "| label | source | images |",
        "|---|---|---|",
        *(f"| {labels[number]} | {_cell(source)} | {count:,} |" for (number, source), count in sorted(counts.items())),
        "",
        "## Cross-validated",
        "",
        f"{taught.folds} folds. *Left out* says what the fit never saw of a label: whole sources, or only images. The",
        "second is the easier task, since images of one source look alike. Precision and recall are those at threshold",
        f"{KEEP}, with 95 % Wilson intervals that count images as independent. The expected calibration error of the",
        f"most probable label is {calibration.ece:.3f}.",
        "",
        f"| {' | '.join(HEADINGS)} |",
        "|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in table(lesson, taught)),
        "",
        "## Confused",
        "",
        "Rows are right labels, columns the most probable ones.",
        "",
        f"| | {' | '.join(labels)} |",
        "|---" * (len(labels) + 1) + "|",
        *(f"| {label} | {' | '.join(map(str, row))} |" for label, row in zip(labels, confusion, strict=True)),
        "",
    ]
    return "\n".join(lines)


def _share(right: int, of: int) -> str:
    low, high = wilson(right, of)
    return f"{right / of:.2f} ({low:.2f}–{high:.2f})" if of else "none kept"


def _cell(text: str) -> str:
    """A file name may hold anything; a table cell may not."""
    return "".join(sign if sign.isprintable() else "?" for sign in text).replace("|", "\\|")
