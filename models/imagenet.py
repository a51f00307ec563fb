"""The 1,000 classes of ImageNet (ILSVRC 2012), by name, in the order in which all its networks give them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from models.classifier import ModelError
from models.download import Download, cache_folder, fetch

IMAGENET = "imagenet"
"""What ``labels`` in a ``model.toml`` says instead of a file's name."""
CLASSES = 1000
PUBLISHED = Download(
    "https://raw.githubusercontent.com/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41/imagenet_labels.txt",
    21_686,
    "b8aaeb5630c62626a7d124a05c0e14230a7ffdd2136a31d0190a4fb71c1d82f1",
)
"""One class a line, synonyms after commas, ``background`` before them all."""


def imagenet_labels() -> tuple[str, ...]:
    """The classes, downloaded on first use: ``tench, Tinca tinca``, ``goldfish, Carassius auratus``, …

    Two of them are just ``crane``, the bird and the machine: each gets its number behind it.

    Raises:
        ModelError: the file cannot be had, or does not hold 1,000 classes and perhaps the background.
    """
    file = labels_file()
    fetch({file: PUBLISHED})
    return read_classes(file)


def labels_file() -> Path:
    """Where the names are kept."""
    return cache_folder() / IMAGENET / "imagenet_labels.txt"


def read_classes(file: Path) -> tuple[str, ...]:
    """The lines of ``file``. Raises as :func:`imagenet_labels`."""
    try:
        names = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"cannot read labels {file}: {error}") from None
    if names[:1] == ["background"]:
        del names[0]
    if len(names) != CLASSES:
        raise ModelError(f"{file}: {len(names)} labels, expected {CLASSES}, or those and background before them")
    times = Counter(names)
    return tuple(f"{name} ({number})" if times[name] > 1 else name for number, name in enumerate(names))
