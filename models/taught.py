"""A taught model: a linear head on the embedding of another model. ``models/teach.py`` makes them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from models.classifier import Classifier, ModelError
from models.declaration import Keys
from models.network import softmax


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Multinomial logistic regression on standardised features; all arrays float32."""

    weights: np.ndarray
    """(dimensions, labels)."""
    bias: np.ndarray
    """(labels,)."""
    mean: np.ndarray
    """(dimensions,), subtracted from the features."""
    scale: np.ndarray
    """(dimensions,), positive; the features are then divided by it."""
    temperature: np.ndarray
    """(), positive; the logits are divided by it before the softmax."""

    def logits(self, features: np.ndarray) -> np.ndarray:
        """float32 (N, dimensions) to float32 (N, labels), before the temperature."""
        rows = np.empty((len(features), len(self.bias)), np.float32)
        # One by one: in a matrix product the last bits of a row depend on how many rows there are.
        for row, vector in enumerate((features - self.mean) / self.scale):
            rows[row] = vector @ self.weights + self.bias
        return rows

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """float32 (N, dimensions) to float32 (N, labels), each row summing to 1."""
        return softmax(self.logits(features) / self.temperature)

    def to_bytes(self) -> bytes:
        """An ``.npz`` file. The same head gives the same bytes: unlike ``np.savez``, no time is written."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for field in fields(self):
                with archive.open(zipfile.ZipInfo(f"{field.name}.npy"), "w") as member:
                    np.lib.format.write_array(member, np.asarray(getattr(self, field.name), np.float32))
        return buffer.getvalue()

    @staticmethod
    def from_bytes(content: bytes) -> Head:
        """What :meth:`to_bytes` gave.

        Raises:
            ValueError: one line that says what is wrong: damaged, an array missing, of the wrong shape or not finite.
        """
        names = [field.name for field in fields(Head)]
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in names}
        except KeyError as error:
            raise ValueError(f"expected the arrays {', '.join(names)} ({error.args[0]})") from None
        except (ValueError, TypeError, AttributeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"not a readable .npz file ({str(error).splitlines()[0]})") from None
        head = Head(**arrays)
        expected: dict[str, tuple[int, ...]] = {
            "weights": head.mean.shape + head.bias.shape,
            "bias": (head.bias.size,),
            "mean": (head.mean.size,),
            "scale": head.mean.shape,
            "temperature": (),
        }
        for name, shape in expected.items():
            array = arrays[name]
            if array.shape != shape or array.dtype != np.float32:
                raise ValueError(f"{name} is {array.dtype} {array.shape}, expected float32 {shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds NaN or infinite numbers")
        if head.temperature <= 0 or (head.scale <= 0).any():
            raise ValueError("scale and temperature must be above 0")
        return head


class TaughtClassifier:
    """See :class:`models.classifier.Classifier`. Scores are those of the head, the embedding is the base's.

    Args:
        folder: its model folder.
        card: what its ``model.toml`` says.
        name: of the model.
        labels: one for each score of the head.
        base: the model whose embedding the head stands on.
        head: as long as the embedding of ``base``.
    """

    def __init__(
        self, folder: Path, card: dict[str, Any], name: str, labels: tuple[str, ...], base: Classifier, head: Head
    ) -> None:
        self.name, self.labels = name, labels
        self.side, self.fit, self.dimensions = base.side, base.fit, base.dimensions
        curve = folder / "curve.json"
        self.curve = curve if curve.is_file() else None
        self.hash = hashlib.sha256(base.hash.encode() + head.to_bytes()).hexdigest()
        self.base_name = str(card["base"])
        """What the registry loads the base by."""
        self._base, self._head = base, head
        self._made_from = folder, card

    def __reduce__(self) -> tuple[Callable[[Path, dict[str, Any]], Classifier], tuple[Path, dict[str, Any]]]:
        """Another process rebuilds it from the same files."""
        return load, self._made_from

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """See :class:`models.classifier.Classifier`."""
        return self.look(pixels)[0]

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """See :class:`models.classifier.Classifier`."""
        embedding = self._base.embed(pixels)
        return self._head.probabilities(embedding), embedding

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """See :class:`models.classifier.Classifier`."""
        return self._base.embed(pixels)


def load(folder: Path, card: dict[str, Any]) -> Classifier:
    """The taught model in ``folder``.

    Args:
        folder: holds the files that ``card`` names, and perhaps ``curve.json``.
        card: its ``model.toml``: ``kind`` ("taught"), ``base`` (name or folder of a model), ``base_hash`` (that
            model's hash when this one was taught), ``head`` and ``labels`` (names of files), and ``name``.

    Raises:
        ModelError: a file is missing or damaged, or the base is missing or no longer the same.
    """
    from models.registry import load_model, read_labels  # the registry calls this function

    declared = folder / "model.toml"
    keys = Keys(str(declared), card)
    keys.text("kind")
    name = keys.text("name", folder.name) or ""
    base_name, base_hash = keys.text("base"), keys.text("base_hash")
    file, labels = folder / keys.text("head"), read_labels(folder / keys.text("labels"))
    keys.nothing_else()
    if base_name == name or Path(base_name).resolve() == folder.resolve():
        raise ModelError(f"{declared}: {name} cannot be its own base")
    try:
        head = Head.from_bytes(file.read_bytes())
    except OSError as error:
        raise ModelError(f"model {name}: cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise ModelError(f"model {name}: {file}: {error}") from None
    if len(head.bias) != len(labels):
        raise ModelError(f"model {name}: {file} gives {len(head.bias)} scores, but {len(labels)} labels are listed")
    try:
        base = load_model(base_name)
    except ModelError as error:
        raise ModelError(f"model {name} was taught on {base_name}, which cannot be loaded: {error}") from None
    if base.hash != base_hash:
        raise ModelError(
            f"model {name} was taught on {base_name} {base_hash[:12]}, but {base_name} is now {base.hash[:12]}:"
            f" teach it again (python -m models train {name} --from {base_name} --data DIR)"
        )
    if len(head.mean) != base.dimensions:
        raise ModelError(f"model {name}: {file} takes {len(head.mean)} features, {base_name} gives {base.dimensions}")
    return TaughtClassifier(folder, card, name, labels, base, head)
