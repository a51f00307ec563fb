"""From what a person types as ``-a model=`` to a classifier."""

from __future__ import annotations

import tomllib
from pathlib import Path

from models.classifier import Classifier, LiteRTClassifier, ModelError

WEIGHTS = Path(__file__).with_name("weights")
DEFAULT = "web-images"


def known_models() -> list[str]:
    """Names of the models that are shipped, sorted."""
    return sorted(folder.parent.name for folder in WEIGHTS.glob("*/model.toml"))


def load_model(name: str = DEFAULT) -> Classifier:
    """The model called ``name``, or the one in the folder ``name``, ready to score.

    A model folder holds ``model.toml`` (``file`` and ``labels``: names of files beside it), the weights, and a text
    file with one label a line, in the order of the scores.

    Raises:
        ModelError: no such model, or its files do not fit together.
    """
    folder = WEIGHTS / name
    if not (folder / "model.toml").is_file():
        folder = Path(name)
    if not (folder / "model.toml").is_file():
        raise ModelError(f"no model {name!r}: give one of {', '.join(known_models())}, or a folder with a model.toml")
    try:
        card = tomllib.loads((folder / "model.toml").read_text())
        weights, labels = folder / card["file"], folder / card["labels"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / 'model.toml'}: expected the keys file and labels ({error})") from None
    return LiteRTClassifier(weights, str(card.get("name", folder.name)), read_labels(labels))


def read_labels(file: Path) -> tuple[str, ...]:
    """One label a line.

    Raises:
        ModelError: unreadable, empty, or a label twice.
    """
    try:
        labels = tuple(line.strip() for line in file.read_text().splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"cannot read labels {file}: {error}") from None
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice or not labels:
        raise ModelError(f"{file}: {'no labels' if not labels else 'labels listed twice: ' + ', '.join(twice)}")
    return labels
