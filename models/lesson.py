"""What a new head is taught from: a folder of labelled pictures, as an existing model sees them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.classifier import Classifier, ModelError
from models.decode import ImageError, Picture
from models.fitting import fit_square, longer_side
from models.phash import phash
from models.training.dataset import Sample, read_samples

LEAST = 5
"""Different readable images that a label needs."""


class TeachError(ValueError):
    """Nothing can be taught from this folder; the message is one line that says why and what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Readable images of the labels numbered from 0, in a stable order."""

    features: np.ndarray
    """float32 (N, dimensions)."""
    targets: np.ndarray
    """int64 (N,), numbers of labels."""
    sources: np.ndarray
    """str (N,)."""
    looks: np.ndarray
    """str (N,), perceptual hashes: equal for near-identical images."""

    def at(self, rows: np.ndarray) -> Examples:
        """The examples of these rows."""
        return Examples(self.features[rows], self.targets[rows], self.sources[rows], self.looks[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What a folder held."""

    labels: tuple[str, ...]
    examples: Examples
    unreadable: tuple[str, ...]
    """One line for each file that gave no picture: path within the folder, and why."""


def read_lesson(data: Path, base: Classifier, advance: Callable[[], None] = lambda: None) -> Lesson:
    """Embed the images of ``data/<label>/<image files>``.

    Args:
        data: as :func:`models.training.dataset.read_samples` reads it.
        base: gives the features; pictures are fitted into its square as for scoring.
        advance: called after each file.

    Raises:
        TeachError: fewer than two labels, a name that cannot be one, or too few images of a label.
        ModelError: ``base`` gives no embedding, or one with NaN.
    """
    samples = labelled_files(data)
    if not base.dimensions:
        raise ModelError(f"model {base.name} gives scores only, no embedding to teach on")
    features, looks, readable, unreadable = [], [], [], []
    for sample in samples:
        try:
            picture = Picture(sample.path.read_bytes())
            size = picture.header.width, picture.header.height
            image = picture.rgb(longer_side(base.fit, base.side, *size))
        except (ImageError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error).partition("\n")[0]
            unreadable.append(f"{sample.path.relative_to(data)}: {why}")
        else:
            features.append(base.embed(fit_square(image, base.side, base.fit)[np.newaxis])[0])
            looks.append(phash(image))
            readable.append(sample)
        advance()
    labels = tuple(sorted({sample.label for sample in samples}))
    for label in labels:
        different = len({look for look, sample in zip(looks, readable, strict=True) if sample.label == label})
        if different < LEAST:
            raise TeachError(f"{data / label}: {different} different readable images, at least {LEAST} are needed")
    table = np.stack(features)
    if not np.isfinite(table).all():
        raise ModelError(f"model {base.name} gives an embedding with NaN")
    examples = Examples(
        table,
        np.array([labels.index(sample.label) for sample in readable]),
        np.array([sample.source for sample in readable]),
        np.array(looks),
    )
    return Lesson(labels, examples, tuple(unreadable))


def labelled_files(data: Path) -> list[Sample]:
    """The image files of ``data/<label>/``, with the checks that need no decoding.

    Raises:
        TeachError: see :func:`read_lesson`.
    """
    try:
        samples = read_samples(data)
    except FileNotFoundError as error:
        raise TeachError(str(error)) from None
    labels = sorted({sample.label for sample in samples})
    for label in labels:
        # Labels are written in lists with commas, on command lines.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", label):
            raise TeachError(f"{data / label}: a label is made of letters, digits, _ and -; rename the folder")
    folders = {folder.name for folder in data.iterdir() if folder.is_dir() and not folder.name.startswith(".")}
    for empty in sorted(folders.difference(labels)):
        raise TeachError(f"{data / empty}: no image files; at least {LEAST} are needed, or remove the folder")
    if len(labels) < 2:
        raise TeachError(
            f"{data}: the only label is {labels[0]}; give a second folder, such as other, with anything else"
        )
    return samples
