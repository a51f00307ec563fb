"""What all file formats have in common: which networks fit, and from their answers to probabilities."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.classifier import ModelError
from models.declaration import Output, Usage
from models.imagenet import CLASSES, imagenet_labels

logger = logging.getLogger(__name__)

ROUNDING = 0.03
"""How far from 1 probabilities may sum to and still be probabilities: int8 networks round."""

ASSUMED_RANGE = 0.0, 1.0
"""Of float pixels, where nothing is declared: https://www.tensorflow.org/hub/common_signatures/images."""


class NetworkClassifier(ABC):
    """See :class:`models.classifier.Classifier`. A subclass runs the file.

    The subclass loads, says what goes in (:meth:`_check_input`) and has its answers checked (:meth:`_check_answers`).
    A second output of the network, of any other length than the labels, is the embedding.

    Args:
        name: of the model.
        file: where the network is, for messages and for rebuilding it.
        labels: those listed, in the order of the scores; None for ImageNet's, where there are 1,000 or 1,001 scores.
        usage: what is declared.
        curve: see the protocol.
    """

    def __init__(self, name: str, file: Path, labels: tuple[str, ...] | None, usage: Usage, curve: Path | None) -> None:
        self.name, self.curve, self.fit = name, curve, usage.fit
        self.hash = ""
        self.labels: tuple[str, ...] = ()
        self.side, self.dimensions = 0, 0
        self._file, self._listed, self._usage = file, labels, usage
        self._scores, self._embedding, self._shaped = 0, -1, -1
        self._assumed = self._logits = False

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """See :class:`models.classifier.Classifier`."""
        return self.look(pixels)[0]

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """See :class:`models.classifier.Classifier`."""
        answers = self._answers(pixels)
        scores = self._probabilities(answers[self._scores], pixels)
        return scores, answers[self._embedding] if self.dimensions else None

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """See :class:`models.classifier.Classifier`.

        Raises:
            ModelError: the network has no second output.
        """
        if not self.dimensions:
            raise self._error("gives scores only, no embedding")
        return self._answers(pixels)[self._embedding]

    @abstractmethod
    def _answers(self, pixels: np.ndarray) -> list[np.ndarray]:
        """Each output for uint8 (N, side, side, 3): float32, (N, its length)."""

    def _step(self, output: int) -> float:
        """Smallest difference between two numbers of an output; 0 where they are float."""
        return 0.0

    def _check_input(self, shape: Sequence[int | None]) -> None:
        """Settle ``side``. ``shape`` is (N, H, W, C), None for what the network leaves open.

        Raises:
            ModelError: no square of RGB.
        """
        if len(shape) != 4:
            raise self._error(f"takes {_shown(shape)}, expected images: (N, S, S, 3)")
        _, height, width, channels = shape
        if 0 in shape[1:]:
            raise self._error(f"takes {_shown(shape)}, an image of no size, expected (N, S, S, 3)")
        if channels not in {3, None}:
            what = {1: ", which is grayscale", 4: ", which is RGB with alpha"}.get(channels or 0, "")
            raise self._error(f"takes {_shown(shape)}{what}, expected RGB: (N, S, S, 3)")
        if height != width:
            raise self._error(f"takes {_shown(shape)}, expected a square")
        declared = self._usage.side
        if height is None and declared is None:
            raise self._error("takes images of any size, expected side = PIXELS in model.toml")
        if height is not None and declared not in {None, height}:
            raise self._error(f"takes {_shown(shape)}, but model.toml declares side = {declared}")
        self.side = height or declared or 0

    def _range(self) -> tuple[float, float]:
        """What black and white are to a network that takes floats and does not say so itself."""
        if self._usage.range is None:
            self._usage = replace(self._usage, range=ASSUMED_RANGE)
            self._assumed = True
        assert self._usage.range is not None
        return self._usage.range

    def _check_answers(self, outputs: int) -> None:
        """Settle which of so many outputs is which, by trying the network on a grey image and on noise.

        Raises:
            ModelError: wrong number of scores, NaN, or neither probabilities nor logits.
        """
        if outputs not in {1, 2}:
            raise self._error(f"gives {outputs} outputs, expected the scores, and perhaps an embedding")
        shape = (self.side, self.side, 3)
        probe = np.stack([np.full(shape, 128, np.uint8), np.random.default_rng(0).integers(0, 256, shape, np.uint8)])
        answers = self._answers(probe)
        for answer in answers:
            if answer.ndim != 2 or len(answer) != len(probe):
                raise self._error(f"answers {answer.shape} to {len(probe)} images, expected (N, scores)")
        lengths = [answer.shape[1] for answer in answers]
        listed = self._listed = self._imagenet(lengths) if self._listed is None else self._listed
        offset = self._usage.labels_offset
        # By length, not by order: a converter sorts outputs as it likes.
        expected = len(listed), len(listed) + offset
        self._scores = next((output for output, length in enumerate(lengths) if length in expected), 0)
        count = lengths[self._scores]
        if count not in expected:
            hint = (
                "; labels_offset = 1 in a model.toml leaves out a background class" if count == len(listed) + 1 else ""
            )
            raise self._error(f"gives {count} scores, but {len(listed)} labels are listed{hint}")
        self.labels = listed if count == len(listed) + offset else listed[offset:]
        if self._usage.shape is not None:
            if self._usage.shape.label not in self.labels:
                raise self._error(f"has no label {self._usage.shape.label!r}, which [shape] in model.toml is about")
            self._shaped = self.labels.index(self._usage.shape.label) + offset
        if outputs == 2:
            self._embedding = 1 - self._scores
            self.dimensions = lengths[self._embedding]
        self._check_scores(answers[self._scores])
        if self._assumed:  # said once: worker processes get it as if it were declared
            logger.warning(
                "model %s takes float pixels and does not say in which range: taking 0–1; to change that, declare"
                " range in a model.toml",
                self.name,
            )

    def _imagenet(self, lengths: Sequence[int]) -> tuple[str, ...]:
        if CLASSES + 1 in lengths:
            self._usage = replace(self._usage, labels_offset=1)
        elif CLASSES not in lengths:
            raise self._error(
                f"gives {lengths[0]} scores and names no labels: write a model.toml with this address as file,"
                f" and labels (1,000 or 1,001 scores are taken for ImageNet's)"
            )
        return imagenet_labels()

    def _check_scores(self, scores: np.ndarray) -> None:
        if not np.isfinite(scores).all():
            raise self._error("answers NaN, expected numbers: its weights are damaged, or range is not what it takes")
        slack = ROUNDING + self._step(self._scores) * scores.shape[1] / 2
        sums = scores.sum(1)
        are_shares = bool(scores.min() >= -1e-6 and scores.max() <= 1 + ROUNDING)
        are_probabilities = are_shares and bool((abs(sums - 1) <= slack).all())
        declared = self._usage.output
        found = f"a grey image scored {', '.join(f'{score:.3g}' for score in scores[0][:3])}…, {sums[0]:.3g} in sum"
        if declared is Output.PROBABILITIES and not are_probabilities:
            raise self._error(f"does not give probabilities, as is declared: {found}, expected 1 in sum")
        if declared is None and are_shares and not are_probabilities:
            raise self._error(
                f"gives neither probabilities nor logits: {found}, expected labels that exclude each other (softmax);"
                ' if these are logits, declare output = "logits" in a model.toml'
            )
        self._logits = declared is Output.LOGITS or not are_probabilities

    def _probabilities(self, scores: np.ndarray, pixels: np.ndarray) -> np.ndarray:
        usage, offset = self._usage, self._usage.labels_offset
        if self._logits or usage.temperature != 1 or usage.shape is not None:
            logits = scores if self._logits else np.log(np.maximum(scores, np.finfo(np.float32).tiny))
            logits = logits / usage.temperature
            if usage.shape is not None and len(pixels):
                logits[:, self._shaped] += usage.shape.log_likelihood(pixels)
            scores = softmax(logits)
        return scores[:, offset:] if offset else scores

    def _error(self, what: str) -> ModelError:
        return ModelError(f"model {self.name}: {self._file} {what}")


def softmax(logits: np.ndarray) -> np.ndarray:
    """float32 (N, labels) to probabilities, each row summing to 1."""
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True), np.float32)


def _shown(shape: Sequence[int | None]) -> str:
    return f"({', '.join('any' if n is None else str(n) for n in shape)})"
