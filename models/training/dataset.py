"""``DIR/<label>/<source>__<id>.<ext>`` to samples, split so that no source is on both sides.

Images of one source look alike (one site's scanner, frame, size, compression), so a split by image measures how
well a network remembers sources. Here a source is in the training part or in the held-out part, never in both.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".avif"}

COVERS = frozenset({"book_cover", "album_cover", "game_box", "card", "flyer", "magazine", "comic_cover"})
"""Labels of things designed like posters; the rest is the ordinary web mix."""

MARKED = frozenset({"dvaldespino94+gameon_images"})
"""Sources that print their own ribbon into the top-right corner of every image: it would be learned as the label."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled image file. ``source`` is the part of the file name before ``__``, else the label's own name."""

    path: Path
    label: str
    source: str


def read_samples(root: Path) -> list[Sample]:
    """Every image below ``root/<label>/``, in a stable order.

    Raises:
        FileNotFoundError: ``root`` has no folder with images.
    """
    samples = []
    for folder in sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                source, separator, _ = path.name.partition("__")
                samples.append(Sample(path, folder.name, source if separator else folder.name))
    if not samples:
        raise FileNotFoundError(f"{root}: expected DIR/<label>/<image files>, found no image there")
    return samples


def split_by_source(samples: Iterable[Sample], held_out: float = 0.22) -> tuple[list[Sample], list[Sample]]:
    """Two lists, training and held out, that share no source.

    The labels with the fewest sources choose first: a label's largest source trains, its next largest is held out;
    a label with one source only trains (its held-out figures are then missing, and reports say so). What remains
    goes to the part that is further below its share. No chance is involved: same files, same split.

    Args:
        samples: labelled images; a source may serve several labels.
        held_out: the share of images that should be held out, 0–1.
    """
    samples = list(samples)
    sizes: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        sizes[sample.label][sample.source] += 1
    part: dict[str, bool] = {}  # source -> is it held out?
    counts = Counter(sample.source for sample in samples)
    held = 0
    for label in sorted(sizes, key=lambda name: (len(sizes[name]), name)):
        ranked = [source for source, _ in sorted(sizes[label].items(), key=lambda item: (-item[1], item[0]))]
        for wanted in (False, True):
            free = [source for source in ranked if source not in part]
            if free and wanted not in {part[source] for source in ranked if source in part}:
                part[free[0]] = wanted
                held += counts[free[0]] * wanted
    for source, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if source not in part:
            part[source] = held + count <= held_out * len(samples)
            held += count * part[source]
    return [s for s in samples if not part[s.source]], [s for s in samples if part[s.source]]


def sampling_weights(samples: Sequence[Sample]) -> list[float]:
    """How often to draw each sample: labels by the square root of their size, and so the sources within a label.

    The root is the usual middle between the natural frequencies (a thin label is never learned) and equal ones (a
    thin label is learned by heart). Covers, which are hardest to tell from posters, count half as much again. The
    weights sum to 1.
    """
    labels = Counter(s.label for s in samples)
    sources = Counter((s.label, s.source) for s in samples)
    shares: dict[tuple[str, str], float] = {}
    for (label, source), count in sources.items():
        within = sum(math.sqrt(n) for (name, _), n in sources.items() if name == label)
        hard = 1.5 if label in COVERS else 1.0
        shares[label, source] = hard * math.sqrt(labels[label]) * math.sqrt(count) / within / count
    total = sum(shares[s.label, s.source] for s in samples)
    return [shares[s.label, s.source] / total for s in samples]
