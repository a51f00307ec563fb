"""``model.toml``: what a model folder declares of its network. docs/models.md explains the keys."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

from models.classifier import ModelError
from models.download import Download
from models.fitting import Fit
from models.shape import Shape

LARGEST_SIDE = 2048


class Kind(StrEnum):
    """File formats."""

    TFLITE = "tflite"
    KERAS = "keras"
    SAVEDMODEL = "savedmodel"


class Output(StrEnum):
    """What the numbers are that a network answers."""

    PROBABILITIES = "probabilities"
    LOGITS = "logits"


@dataclass(frozen=True, slots=True)
class Usage:
    """How a network wants to be used. None: to be read from the model."""

    side: int | None = None
    """Side of the square input, in pixels."""
    range: tuple[float, float] | None = None
    """What a black and a white pixel are to the network."""
    fit: Fit = Fit.LETTERBOX
    output: Output | None = None
    labels_offset: int = 0
    """So many outputs come before the first label: 1 where there is a background class."""
    temperature: float = 1.0
    """Logits are divided by it before the softmax."""
    shape: Shape | None = None
    """What the outline of the picture adds to the logit of a label; only with letterboxing, where it shows."""

    def identity(self, weights: str) -> str:
        """The hash of a model: that of its weights, and of its usage where the same weights would answer otherwise."""
        if self == PLAIN:
            return weights
        return hashlib.sha256(f"{weights} {self!r}".encode()).hexdigest()


PLAIN = Usage()
"""Nothing is declared."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A ``model.toml``, checked."""

    name: str
    kind: Kind
    file: str
    labels: str
    usage: Usage
    download: Download | None
    """Where ``file`` is published if it is not kept beside ``model.toml``."""


def read_toml(file: Path) -> dict[str, Any]:
    """The keys of a ``model.toml``.

    Raises:
        ModelError: unreadable.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{file} is not readable TOML: {error}") from None
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror}") from None


def read_declaration(file: Path, card: dict[str, Any]) -> Declaration:
    """``card``, the keys of ``file``, checked.

    Raises:
        ModelError: a key is missing, unknown, or has a value that cannot be used.
    """
    keys = Keys(str(file), card)
    source, labels = keys.text("file"), keys.text("labels")
    usage = Usage(
        side=keys.whole("side", None, 1, LARGEST_SIDE),
        range=keys.pair("range"),
        fit=keys.choice("fit", Fit, Fit.LETTERBOX),
        output=keys.choice("output", Output, None),
        labels_offset=keys.whole("labels_offset", 0, 0, 1000),
        temperature=keys.positive("temperature", 1.0),
        shape=_shape(file, keys.table("shape")) if "shape" in card else None,
    )
    if usage.shape is not None and usage.fit is not Fit.LETTERBOX:
        raise ModelError(f'{file}: [shape] needs fit = "letterbox", found "{usage.fit}"')
    download = None
    if "download" in card:
        table = Keys(f"{file}, [download]", keys.table("download"))
        size = table.whole("bytes", 0, 1, 1 << 40) or table.missing("bytes")
        download = Download(table.text("url"), size, table.text("sha256"))
        table.nothing_else()
    kind = keys.choice("kind", Kind, kind_of(source))
    name = keys.text("name", file.parent.name)
    keys.nothing_else()
    if is_address(source) and kind is not Kind.SAVEDMODEL:
        raise ModelError(f'{file}: an address is of kind "savedmodel" (TensorFlow Hub), not "{kind}"')
    return Declaration(name, kind, source, labels, usage, download)


def _shape(file: Path, table: dict[str, Any]) -> Shape:
    keys = Keys(f"{file}, [shape]", table)
    shape = Shape(
        label=keys.text("label"),
        aspect=keys.positive("aspect"),
        spread=keys.positive("spread"),
        any_other=keys.positive("any_other"),
    )
    keys.nothing_else()
    if shape.any_other >= 1:
        raise ModelError(f"{file}, [shape]: any_other = {shape.any_other}, expected a share below 1")
    return shape


def kind_of(file: str) -> Kind:
    """The format that a name tells."""
    return {".tflite": Kind.TFLITE, ".keras": Kind.KERAS}.get(Path(file).suffix.lower(), Kind.SAVEDMODEL)


def is_address(file: str) -> bool:
    """Is it to be had from TensorFlow Hub, rather than from this machine?"""
    return file.startswith(("http://", "https://"))


class Keys:
    """Reads keys of a table one by one and remembers which; each method raises ModelError for a wrong value."""

    def __init__(self, where: str, table: dict[str, Any]) -> None:
        self._where, self._table, self._known = where, table, list[str]()

    def nothing_else(self) -> None:
        """There is no key that was not read."""
        unknown = sorted(set(self._table) - set(self._known))
        if unknown:
            raise ModelError(f"{self._where}: unknown key {unknown[0]}, expected {', '.join(sorted(self._known))}")

    def missing(self, key: str) -> NoReturn:
        """Refuse the table."""
        raise ModelError(f"{self._where}: the key {key} is missing")

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty; must be there where there is no default."""
        value = self._value(key, default)
        if value is None:
            self.missing(key)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, value, "a text")
        return value

    def whole(self, key: str, default: Any, least: int, most: int) -> Any:
        """An int from ``least`` to ``most``, or ``default``."""
        value = self._value(key, default)
        if value is not default and (type(value) is not int or not least <= value <= most):
            raise self._wrong(key, value, f"a whole number from {least} to {most}")
        return value

    def positive(self, key: str, default: float | None = None) -> float:
        """A finite number above 0; must be there where there is no default."""
        value = self._value(key, default)
        if value is None:
            self.missing(key)
        if type(value) not in {int, float} or not 0 < value < float("inf"):
            raise self._wrong(key, value, "a number above 0")
        return float(value)

    def pair(self, key: str) -> tuple[float, float] | None:
        """Two finite numbers, the lower first."""
        value = self._value(key, None)
        if value is None:
            return None
        numbers = isinstance(value, list) and len(value) == 2 and all(type(n) in {int, float} for n in value)
        if not numbers or not -float("inf") < value[0] < value[1] < float("inf"):
            raise self._wrong(key, value, "two numbers such as [0, 1], [-1, 1] or [0, 255]")
        return float(value[0]), float(value[1])

    def choice(self, key: str, words: type[StrEnum], default: Any) -> Any:
        """A member of ``words``, or ``default``."""
        value = self._value(key, default)
        if value is default:
            return default
        if not isinstance(value, str) or value not in [str(word) for word in words]:
            raise self._wrong(key, value, "one of " + ", ".join(words))
        return words(value)

    def table(self, key: str) -> dict[str, Any]:
        """A table."""
        value = self._value(key, None)
        if not isinstance(value, dict):
            raise self._wrong(key, value, "a table")
        return value

    def _value(self, key: str, default: Any) -> Any:
        self._known.append(key)
        return self._table.get(key, default)

    def _wrong(self, key: str, value: Any, expected: str) -> ModelError:
        return ModelError(f"{self._where}: {key} = {value!r}, expected {expected}")
