"""A trained network ready to score: pixels in, one probability per label out."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from ai_edge_litert.interpreter import Interpreter

_announced = False


class ModelError(ValueError):
    """A model cannot be used; the message is one line that says what was found and what was expected."""


class Classifier(Protocol):
    """What the scorer asks of a model. It is picklable, so that worker processes can have it."""

    name: str
    hash: str
    """sha256 of the weights, hex."""
    labels: tuple[str, ...]
    side: int
    """Side of the square input, in pixels; pictures are letterboxed into it."""

    dimensions: int
    """Length of the embedding; 0 where the model gives none."""

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (N, side, side, 3), 0–255 RGB, to float32 (N, labels): probabilities, each row summing to 1."""

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (N, side, side, 3), 0–255 RGB, to float32 (N, dimensions): the features under the last layer."""


class LiteRTClassifier:
    """A ``.tflite`` file run by LiteRT with XNNPACK, single-threaded; not to be shared between threads.

    One image a call is as fast as a batch on a CPU, and processes scale by cores, so the interpreter keeps the batch
    size of the file: 1. A second output, of any other length than the labels, is the embedding.
    """

    def __init__(self, file: Path, name: str, labels: tuple[str, ...]) -> None:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise ModelError(f"model {name}: cannot read {file}: {error.strerror}") from None
        self.name, self.labels = name, labels
        self.hash = hashlib.sha256(content).hexdigest()
        self._content, self._file = content, file
        interpreter = self._interpreter = self._build()
        given, answered = interpreter.get_input_details(), interpreter.get_output_details()
        if (
            len(given) != 1
            or len(answered) not in {1, 2}
            or given[0]["dtype"] != np.uint8
            or len(given[0]["shape"]) != 4
        ):
            raise ModelError(f"model {name}: {file} must take one uint8 image (1, S, S, 3) and give one vector, or two")
        self._input = int(given[0]["index"])
        # By length, not by order: a converter sorts outputs as it likes.
        scores = min(answered, key=lambda output: int(output["shape"][-1]) != len(labels))
        self._output = int(scores["index"])
        rest = [output for output in answered if output is not scores]
        self._embedding = int(rest[0]["index"]) if rest else -1
        self.dimensions = int(rest[0]["shape"][-1]) if rest else 0
        _, height, width, channels = (int(n) for n in given[0]["shape"])
        if height != width or channels != 3:
            raise ModelError(f"model {name}: {file} takes {height}x{width}x{channels}, expected a square of 3 channels")
        self.side = height
        count = int(scores["shape"][-1])
        if count != len(labels):
            raise ModelError(f"model {name}: {file} gives {count} scores, but {len(labels)} labels are listed")
        probe = self.predict(np.full((1, self.side, self.side, 3), 128, np.uint8))[0]
        if not np.isfinite(probe).all() or not 0.97 < float(probe.sum()) < 1.03 or probe.min() < 0:
            raise ModelError(f"model {name}: {file} does not give probabilities (a grey image scored {probe[:3]}…)")

    def __reduce__(self) -> tuple[type[LiteRTClassifier], tuple[Path, str, tuple[str, ...]]]:
        """Another process rebuilds it from the same file."""
        return LiteRTClassifier, (self._file, self.name, self.labels)

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """See :class:`Classifier`."""
        return self._run(pixels, self._output, len(self.labels))

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """See :class:`Classifier`.

        Raises:
            ModelError: the file has no second output.
        """
        if not self.dimensions:
            raise ModelError(f"model {self.name}: {self._file} gives scores only, no embedding")
        return self._run(pixels, self._embedding, self.dimensions)

    def _run(self, pixels: np.ndarray, output: int, length: int) -> np.ndarray:
        interpreter = self._interpreter
        rows = np.empty((len(pixels), length), np.float32)
        for row, image in enumerate(pixels):
            interpreter.set_tensor(self._input, image[np.newaxis])
            interpreter.invoke()
            rows[row] = interpreter.get_tensor(output)[0]
        return rows

    def _build(self) -> Interpreter:
        try:
            with _quiet():
                interpreter = Interpreter(model_content=self._content, num_threads=1)
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            detail = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"model {self.name}: {self._file} is not a readable .tflite file ({detail})") from None
        return interpreter


@contextmanager
def _quiet() -> Iterator[None]:
    """LiteRT announces its first delegate on file descriptor 2, past Python; nobody asked."""
    global _announced
    if _announced:
        yield
        return
    _announced = True
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
