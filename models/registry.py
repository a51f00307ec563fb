"""From what a person types as ``-a model=`` to a classifier. docs/models.md is this file for people."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from models.classifier import Classifier, ModelError
from models.declaration import (
    PLAIN,
    Kind,
    Usage,
    is_address,
    kind_of,
    read_declaration,
    read_toml,
)
from models.download import cache_folder, fetch
from models.imagenet import IMAGENET, PUBLISHED, imagenet_labels, labels_file

WEIGHTS = Path(__file__).with_name("weights")
DEFAULT = "web-images"


def known_models() -> list[str]:
    """Names of the models that are shipped, sorted."""
    return sorted(folder.parent.name for folder in WEIGHTS.glob("*/model.toml"))


def load_model(name: str = DEFAULT) -> Classifier:
    """The model called ``name``, ready to score.

    Args:
        name: a shipped model; or a folder with a ``model.toml``; or a ``.tflite`` or ``.keras`` file, or the folder
            of a SavedModel, with ``NAME.labels.txt`` or ``labels.txt`` beside it; or an address of TensorFlow Hub.

    Raises:
        ModelError: no such model, or its files do not fit together.
    """
    if is_address(name):
        return _network(Kind.SAVEDMODEL, _resolved(name), name, None)
    for folder in (WEIGHTS / name, Path(name)):
        if name and (folder / "model.toml").is_file():
            return _declared(folder)
    path = Path(name)
    if name and (path.is_file() if kind_of(name) is not Kind.SAVEDMODEL else (path / "saved_model.pb").is_file()):
        path = path.resolve()
        return _network(kind_of(name), path, _bare(path), read_labels(_labels_beside(path)))
    raise ModelError(
        f"no model {name!r}: give one of {', '.join(known_models())}, or a folder with a model.toml, a .tflite or"
        " .keras file, a SavedModel's folder, or an address of TensorFlow Hub"
    )


def read_labels(file: Path) -> tuple[str, ...]:
    """One label a line.

    Raises:
        ModelError: unreadable, empty, or a label twice.
    """
    try:
        labels = tuple(line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip())
    except UnicodeDecodeError as error:
        raise ModelError(f"cannot read labels {file}: {error}") from None
    except OSError as error:
        raise ModelError(f"cannot read labels {file}: {error.strerror}") from None
    if not labels:
        raise ModelError(f"{file}: no labels, expected one a line")
    twice = sorted(label for label, times in Counter(labels).items() if times > 1)
    if twice:
        raise ModelError(f"{file}: labels listed twice: {', '.join(twice)}")
    return labels


def _declared(folder: Path) -> Classifier:
    card = read_toml(folder / "model.toml")
    if card.get("kind") == "taught":
        from models import taught

        return taught.load(folder, card)
    declared = read_declaration(folder / "model.toml", card)
    file, curve = folder / declared.file, folder / "curve.json"
    downloads = {}
    if is_address(declared.file):
        file = _resolved(declared.file)
    elif declared.download is not None and not file.exists():
        file = cache_folder() / declared.name / declared.file
        downloads[file] = declared.download
    if declared.labels == IMAGENET:
        downloads[labels_file()] = PUBLISHED
    fetch(downloads)
    labels = imagenet_labels() if declared.labels == IMAGENET else read_labels(folder / declared.labels)
    return _network(declared.kind, file, declared.name, labels, declared.usage, curve if curve.is_file() else None)


def _bare(path: Path) -> str:
    """A file's name without its ending; a folder's whole name."""
    return path.name if path.is_dir() else path.stem


def _labels_beside(path: Path) -> Path:
    """The labels file of a bare network. Raises ModelError where there is none."""
    places = [path.with_name(f"{_bare(path)}.labels.txt"), path.with_name("labels.txt")]
    if path.is_dir():
        places.append(path / "labels.txt")
    for place in places:
        if place.is_file():
            return place
    raise ModelError(f"model {path} has no labels, expected one a line in {' or '.join(map(str, places))}")


def _resolved(address: str) -> Path:
    from models.tensorflow_models import resolve

    return resolve(address)


def _network(
    kind: Kind,
    file: Path,
    name: str,
    labels: tuple[str, ...] | None,
    usage: Usage = PLAIN,
    curve: Path | None = None,
) -> Classifier:
    if kind is Kind.TFLITE:
        from models.litert import LiteRTClassifier

        return LiteRTClassifier(file, name, labels, usage, curve)
    from models.tensorflow_models import TensorFlowClassifier

    return TensorFlowClassifier(kind, file, name, labels, usage, curve)
