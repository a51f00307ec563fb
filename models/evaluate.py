"""How good a model is on labelled images: as a ranking, label by label, source by source, and as probabilities."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from models.calibration import Reliability, reliability
from models.classifier import Classifier
from models.files import score_files
from models.ranking import Ranking, auc, average_precision, intervals, rank
from models.scorer import Scorer
from models.training.dataset import COVERS, Sample

NAMED = 5
"""So many unreadable files are named; the others are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What the model said of each readable sample: the facts that all figures come from."""

    samples: list[Sample]
    labels: tuple[str, ...]
    table: np.ndarray
    """float32 (samples, labels): probabilities."""
    aspects: np.ndarray
    """float64 (samples,): width ÷ height."""
    unreadable: list[str]
    """``path: problem`` of the others."""

    @property
    def targets(self) -> list[str]:
        """The right label of each sample; the model need not know it."""
        return [sample.label for sample in self.samples]

    @property
    def named(self) -> list[str]:
        """The most probable label of each sample."""
        return [self.labels[best] for best in self.table.argmax(1)]


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """How well one label is told from all others. The first three count the most probable label as the answer.

    ``average_precision`` and ``auc`` rank by the label's probability. None where there is nothing to divide by: a
    label that was never named has no precision, one without images nothing but perhaps a precision of 0.
    """

    label: str
    support: int
    """Images that carry it."""
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    auc: float | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """``counts[i][j]`` images of ``labels[i]`` were named ``labels[j]``. ``labels`` occur or are named."""

    labels: list[str]
    counts: list[list[int]]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything measured. ``chance`` is what always saying no would rank like: the share of the wanted label."""

    model: str
    label: str
    images: int
    unreadable: int
    unreadable_files: list[str]
    """The first :data:`NAMED`, each with what is wrong with it."""
    chance: float
    ranking: Ranking
    intervals: dict[str, tuple[float, float]]
    """95 % intervals of four figures of ``ranking``."""
    aspect_only: Ranking
    at_threshold: dict[str, dict[str, float | None]]
    """Threshold → precision, recall, web_false_alarms, covers_passing."""
    accuracy: float
    """Share of images whose most probable label is the right one."""
    by_label: list[LabelFigures]
    confusion: Confusion
    top_reliability: Reliability
    """Of the most probable label."""
    label_reliability: Reliability
    """Of the probability of the wanted label."""
    by_source: list[dict[str, Any]]
    scored: Scored = field(repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: all but ``scored``."""
        rows = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "scored"}
        rows |= {"ranking": self.ranking.as_dict(), "aspect_only": self.aspect_only.as_dict()}
        rows["by_label"] = [asdict(row) for row in self.by_label]
        for name in ("confusion", "top_reliability", "label_reliability"):
            rows[name] = asdict(rows[name])
        return rows


def nothing() -> None:
    """The default for ``advance``: nobody watches."""


def evaluate(
    model: Classifier, samples: Sequence[Sample], label: str = "poster", advance: Callable[[], None] = nothing
) -> Report:
    """Score ``samples`` with ``model`` on all cores and measure how well it finds ``label``.

    Samples labelled ``poster_square`` (posters squashed or cropped) are left out when posters are looked for: they
    are neither right nor wrong.

    Args:
        model: the classifier, as :class:`models.scorer.Scorer` takes it.
        samples: labelled files.
        label: the wanted one.
        advance: called after each image.

    Raises:
        ValueError: the model does not know ``label``, no readable sample carries it, or all do.
    """
    missing = f"{label!r} is not both a label of {model.name} and a folder with readable images"
    if label not in model.labels:
        known = ", ".join(model.labels[:30]) + (" …" if len(model.labels) > 30 else "")
        raise ValueError(f"{missing}: {model.name} knows {known}")
    if not any(sample.label == label for sample in samples):
        raise ValueError(f"{missing}: there are {', '.join(sorted({sample.label for sample in samples})) or 'none'}")
    samples = [sample for sample in samples if label != "poster" or sample.label != "poster_square"]
    scored = score(model, samples, advance)
    wanted = np.array([target == label for target in scored.targets], bool)
    if not wanted.any():
        raise ValueError(f"{missing}: {scored.unreadable[0]}")
    if wanted.all():
        raise ValueError(f"all readable images are labelled {label!r}: there is nothing to tell it from")
    covers = np.array([target in COVERS for target in scored.targets], bool)
    probability = scored.table[:, model.labels.index(label)]
    right = np.array(scored.named) == np.array(scored.targets)
    nearness = -abs(np.log(scored.aspects) - np.log(2 / 3))
    return Report(
        model=model.name,
        label=label,
        images=len(scored.samples),
        unreadable=len(scored.unreadable),
        unreadable_files=scored.unreadable[:NAMED],
        chance=float(wanted.mean()),
        ranking=rank(probability, wanted, covers),
        intervals=intervals(probability, wanted, covers, [sample.source for sample in scored.samples]),
        aspect_only=rank(nearness, wanted, covers),
        at_threshold={
            f"{threshold:.1f}": operating_point(probability, wanted, covers, threshold)
            for threshold in (0.3, 0.5, 0.7, 0.9)
        },
        accuracy=float(right.mean()),
        by_label=_by_label(scored),
        confusion=_confusion(scored),
        top_reliability=reliability(scored.table.max(1), right),
        label_reliability=reliability(probability, wanted),
        by_source=_by_source(scored, probability),
        scored=scored,
    )


def score(model: Classifier, samples: Sequence[Sample], advance: Callable[[], None] = nothing) -> Scored:
    """What ``model`` says of each sample, in their order. Arguments as for :func:`evaluate`."""
    kept, rows, aspects, unreadable = [], [], [], []
    with closing(Scorer(model)) as scorer:
        files = score_files((sample.path for sample in samples), scorer)
        for sample, file in zip(samples, files, strict=True):
            advance()
            if file.scores is None or file.header is None:
                unreadable.append(f"{file.path}: {file.problem}: {file.detail}")
                continue
            kept.append(sample)
            rows.append(file.scores)
            aspects.append(file.header.width / file.header.height)
    table = np.stack(rows) if rows else np.empty((0, len(model.labels)), np.float32)
    return Scored(kept, model.labels, table, np.array(aspects), unreadable)


def operating_point(
    probability: np.ndarray, wanted: np.ndarray, covers: np.ndarray, threshold: float
) -> dict[str, float | None]:
    """What comes of keeping images from ``threshold`` on: precision, recall, web_false_alarms, covers_passing."""
    kept = probability >= threshold
    return {
        "precision": _share(wanted[kept]),
        "recall": _share(kept[wanted]),
        "web_false_alarms": _share(kept[~wanted & ~covers]),
        "covers_passing": _share(kept[covers & ~wanted]),
    }


def _share(yes: np.ndarray) -> float | None:
    return float(yes.mean()) if yes.size else None


def _by_label(scored: Scored) -> list[LabelFigures]:
    named, targets = np.array(scored.named), np.array(scored.targets)
    rows = []
    for label in sorted({*scored.named, *scored.targets}):
        wanted, answered = targets == label, named == label
        precision, recall = _share(wanted[answered]), _share(answered[wanted])
        total = int(wanted.sum() + answered.sum())
        ranks = label in scored.labels and 0 < wanted.sum() < len(wanted)
        column = scored.table[:, scored.labels.index(label)] if ranks else np.empty(0)
        rows.append(
            LabelFigures(
                label=label,
                support=int(wanted.sum()),
                precision=precision,
                recall=recall,
                f1=2 * int((wanted & answered).sum()) / total if wanted.any() else None,
                average_precision=average_precision(column, wanted) if ranks else None,
                auc=auc(column, wanted) if ranks else None,
            )
        )
    return rows


def _confusion(scored: Scored) -> Confusion:
    pairs = Counter(zip(scored.targets, scored.named, strict=True))
    labels = sorted({label for pair in pairs for label in pair})
    return Confusion(labels, [[pairs[true, named] for named in labels] for true in labels])


def _by_source(scored: Scored, probability: np.ndarray) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, sample in enumerate(scored.samples):
        groups[sample.label, sample.source].append(index)
    named = np.array(scored.named)
    return [
        {
            "label": label,
            "source": source,
            "images": len(indices),
            "named_right": float((named[indices] == label).mean()),
            "kept_at_0.5": float((probability[indices] >= 0.5).mean()),
        }
        for (label, source), indices in sorted(groups.items())
    ]
