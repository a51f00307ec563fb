"""How good a model is on labelled images: ranking quality, recall at a few false alarms, source by source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from models.classifier import Classifier
from models.decode import ImageError, Picture, letterbox
from models.training.dataset import Sample

COVERS = frozenset({"book_cover", "album_cover", "game_box", "card", "flyer", "magazine", "comic_cover"})
"""Labels of things designed like posters; the rest is the ordinary web mix."""
FALSE_ALARMS = 0.02


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well one number per image ranks a wanted label before everything else.

    ``average_precision`` and ``auc`` (ROC) over all images and over the web mix (without :data:`COVERS`);
    ``recall`` of the wanted where 2 % of the web mix passes, and the share of covers that pass with them.
    """

    average_precision: float
    auc: float
    web_average_precision: float
    web_auc: float
    recall: float
    covers_passing: float

    def as_dict(self) -> dict[str, float]:
        """For printing and JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything measured. ``chance`` is what always saying no would rank like: the share of the wanted label."""

    model: str
    label: str
    images: int
    unreadable: int
    chance: float
    ranking: Ranking
    aspect_only: Ranking
    at_threshold: dict[str, dict[str, float]]
    """Threshold → precision, recall, web_false_alarms, covers_passing."""
    by_source: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def evaluate(model: Classifier, samples: Sequence[Sample], label: str = "poster") -> Report:
    """Score ``samples`` with ``model`` and measure how well it finds ``label``.

    Samples labelled ``poster_square`` (posters squashed or cropped) are left out when posters are looked for: they
    are neither right nor wrong.

    Raises:
        ValueError: the model does not know ``label``, or no sample carries it.
    """
    kept: list[Sample] = []
    scores, aspects = [], []
    for sample in samples:
        if label == "poster" and sample.label == "poster_square":
            continue
        data = sample.path.read_bytes()
        try:
            picture = Picture(data)
            pixels = letterbox(picture.rgb(model.side), model.side)
        except ImageError:
            continue
        kept.append(sample)
        scores.append(model.predict(pixels[np.newaxis])[0])
        aspects.append(-abs(np.log(picture.header.width / picture.header.height) - np.log(2 / 3)))
    if label not in model.labels or not any(sample.label == label for sample in kept):
        raise ValueError(f"{label!r} is not both a label of {model.name} and a folder with readable images")
    table = np.stack(scores)
    wanted = np.array([sample.label == label for sample in kept])
    covers = np.array([sample.label in COVERS for sample in kept])
    score = table[:, model.labels.index(label)]
    return Report(
        model=model.name,
        label=label,
        images=len(kept),
        unreadable=len(samples) - len(kept) - sum(label == "poster" and s.label == "poster_square" for s in samples),
        chance=float(wanted.mean()),
        ranking=rank(score, wanted, covers),
        aspect_only=rank(np.array(aspects), wanted, covers),
        at_threshold={
            f"{threshold:.1f}": {
                "precision": _share(wanted[score >= threshold]),
                "recall": _share(score[wanted] >= threshold),
                "web_false_alarms": _share(score[~wanted & ~covers] >= threshold),
                "covers_passing": _share(score[covers & ~wanted] >= threshold),
            }
            for threshold in (0.3, 0.5, 0.7, 0.9)
        },
        by_source=_by_source(kept, table, model.labels, score),
    )


def rank(score: np.ndarray, wanted: np.ndarray, covers: np.ndarray) -> Ranking:
    """The figures of :class:`Ranking` for one score per image (higher: more likely wanted)."""
    web = wanted | ~covers
    others = np.sort(score[web & ~wanted])[::-1]
    threshold = others[int(FALSE_ALARMS * len(others))]
    passing = score[covers & ~wanted] > threshold
    return Ranking(
        average_precision=float(average_precision_score(wanted, score)),
        auc=float(roc_auc_score(wanted, score)),
        web_average_precision=float(average_precision_score(wanted[web], score[web])),
        web_auc=float(roc_auc_score(wanted[web], score[web])),
        recall=float((score[wanted] > threshold).mean()),
        covers_passing=_share(passing),
    )


def _share(yes: np.ndarray) -> float:
    return float(yes.mean()) if yes.size else 0.0


def _by_source(
    samples: Sequence[Sample], table: np.ndarray, labels: Sequence[str], score: np.ndarray
) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, sample in enumerate(samples):
        groups[sample.label, sample.source].append(index)
    rows = []
    for (label, source), indices in sorted(groups.items()):
        named = [labels[best] == label for best in table[indices].argmax(1)]
        rows.append(
            {
                "label": label,
                "source": source,
                "images": len(indices),
                "named_right": float(np.mean(named)),
                "kept_at_0.5": float((score[indices] >= 0.5).mean()),
            }
        )
    return rows
