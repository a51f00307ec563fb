"""From the trained Keras network to the file that is shipped: probabilities, calibrated, int8."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from models.training.train import FULL


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The temperature that makes softmax(logits / T) most likely (Guo et al., ICML 2017).

    Args:
        logits: float (N, labels).
        targets: int (N,), the right label of each row.
    """
    grid = np.exp(np.linspace(np.log(0.25), np.log(4), 200))
    return float(min(grid, key=lambda t: _negative_log_likelihood(logits / t, targets)))


def _negative_log_likelihood(logits: np.ndarray, targets: np.ndarray) -> float:
    shifted = logits - logits.max(1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(targets)), targets]).mean())


def export(model: keras.Model, temperature: float, samples: Iterable[np.ndarray] | None) -> bytes:
    """A TFLite file: uint8 (1, 160, 160, 3) RGB in, float32 (1, labels) probabilities out.

    Args:
        model: from :func:`models.training.backbone.build`, trained.
        temperature: the logits are divided by it before the softmax.
        samples: images (160, 160, 3) uint8 to measure activation ranges with; None for a float32 file.
    """

    pixels = keras.Input((FULL, FULL, 3), batch_size=1, dtype="uint8")
    scaled = keras.layers.Rescaling(1 / temperature)(model(pixels))
    scoring = keras.Model(pixels, keras.layers.Softmax()(scaled))
    with tempfile.TemporaryDirectory() as folder:
        scoring.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if samples is not None:
            chosen = list(samples)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([image[np.newaxis]] for image in chosen)
        return bytes(converter.convert())


def write(out: Path, content: bytes, labels: Iterable[str]) -> None:
    """A model folder as :func:`models.registry.load_model` reads it."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.tflite").write_bytes(content)
    (out / "labels.txt").write_text("\n".join(labels) + "\n")
    (out / "model.toml").write_text(f'name = "{out.name}"\nfile = "model.tflite"\nlabels = "labels.txt"\n')
