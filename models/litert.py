"""``.tflite`` files, run by LiteRT with XNNPACK."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from models.classifier import ModelError
from models.declaration import PLAIN, Usage
from models.network import NetworkClassifier
from models.quiet import quiet

_announced = False


class LiteRTClassifier(NetworkClassifier):
    """See :class:`models.classifier.Classifier`. Single-threaded; not to be shared between threads.

    One image a call is as fast as a batch on a CPU, and processes scale by cores, so the interpreter keeps the batch
    size of the file: 1.

    Raises:
        ModelError: the file cannot be read, or does not fit.
    """

    def __init__(
        self,
        file: Path,
        name: str,
        labels: tuple[str, ...] | None,
        usage: Usage = PLAIN,
        curve: Path | None = None,
    ) -> None:
        super().__init__(name, file, labels, usage, curve)
        try:
            content = file.read_bytes()
        except OSError as error:
            raise ModelError(f"model {name}: cannot read {file}: {error.strerror}") from None
        self._interpreter = self._open(content)
        self._outputs = [_Output(details) for details in self._interpreter.get_output_details()]
        self._check_answers(len(self._outputs))
        self.hash = self._usage.identity(hashlib.sha256(content).hexdigest())

    def __reduce__(self) -> tuple[type[LiteRTClassifier], tuple[Any, ...]]:
        """Another process rebuilds it from the same file."""
        return LiteRTClassifier, (self._file, self.name, self._listed, self._usage, self.curve)

    def _open(self, content: bytes) -> Interpreter:
        global _announced
        try:
            # It announces its first delegate.
            with nullcontext() if _announced else quiet():
                _announced = True
                interpreter = Interpreter(model_content=content, num_threads=1)
                given = interpreter.get_input_details()
                if len(given) != 1:
                    raise self._error(f"takes {len(given)} inputs, expected one image")
                shape = [None if n < 0 else int(n) for n in given[0]["shape_signature"]]
                self._check_input(shape)
                self._input = int(given[0]["index"])
                self._table = self._pixel_table(given[0])
                if None in shape[1:]:
                    interpreter.resize_tensor_input(self._input, [1, self.side, self.side, 3])
                elif shape[0] not in {1, None}:
                    raise self._error(f"takes {shape[0]} images at once, expected 1")
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            if isinstance(error, ModelError):
                raise
            detail = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"model {self.name}: {self._file} is not a readable .tflite file ({detail})") from None
        return interpreter

    def _pixel_table(self, given: dict[str, Any]) -> np.ndarray | None:
        """What each pixel value 0–255 is to the network; None where it is the same."""
        dtype, pixels = given["dtype"], np.arange(256)
        if dtype == np.float32:
            low, high = self._range()
            return np.asarray(low + pixels * ((high - low) / 255), np.float32)
        if dtype not in {np.uint8, np.int8}:
            raise self._error(f"takes {np.dtype(dtype).name} pixels, expected uint8, int8 or float32")
        scale, zero = given["quantization"]
        if self._usage.range is not None and scale:
            low, high = self._usage.range
            steps = np.round((low + pixels * ((high - low) / 255)) / scale) + zero
            limits = np.iinfo(dtype)
            return np.asarray(np.clip(steps, limits.min, limits.max), dtype)
        return None if dtype == np.uint8 else (pixels - 128).astype(np.int8)

    def _answers(self, pixels: np.ndarray) -> list[np.ndarray]:
        interpreter = self._interpreter
        rows: list[list[np.ndarray]] = [[] for _ in self._outputs]
        for image in pixels if self._table is None else self._table[pixels]:
            interpreter.set_tensor(self._input, image[np.newaxis])
            interpreter.invoke()
            for output, answers in zip(self._outputs, rows, strict=True):
                answers.append(interpreter.get_tensor(output.index)[0])
        return [output.numbers(answers) for output, answers in zip(self._outputs, rows, strict=True)]

    def _step(self, output: int) -> float:
        return self._outputs[output].scale


class _Output:
    """An output tensor: its number, its length, and what turns its integers into numbers (scale 0: they are float)."""

    def __init__(self, details: dict[str, Any]) -> None:
        self.index, self.length = int(details["index"]), int(details["shape"][-1])
        integers = np.issubdtype(details["dtype"], np.integer)
        scale, zero = details["quantization"]
        self.scale, self.zero = (float(scale), float(zero)) if integers else (0.0, 0.0)

    def numbers(self, answers: list[np.ndarray]) -> np.ndarray:
        """float32 (N, length)."""
        answer = np.stack(answers) if answers else np.empty((0, self.length))
        if self.scale:
            return np.asarray(np.float32(self.scale) * (answer.astype(np.float32) - np.float32(self.zero)))
        return np.asarray(answer, np.float32)
