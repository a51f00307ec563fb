"""From the trained Keras network to the file that is shipped: probabilities, calibrated, int8."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

import keras
import numpy as np
import tensorflow as tf

from models.decode import letterbox, read_rgb
from models.evaluate import Report, evaluate
from models.registry import load_model
from models.training.card import card
from models.training.dataset import Sample, read_samples, split_by_source
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
    """A TFLite file: uint8 (1, FULL, FULL, 3) RGB in, float32 (1, labels) probabilities out.

    Args:
        model: from :func:`models.training.backbone.build`, trained.
        temperature: the logits are divided by it before the softmax.
        samples: images (FULL, FULL, 3) uint8 to measure activation ranges with; None for a float32 file.
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


def ship(network: keras.Model, labels: Sequence[str], data: Path, out: Path, seed: int = 7) -> Report:
    """Calibrate ``network``, convert it to int8, measure the file on the held-out sources, and write its folder.

    Args:
        network: trained, with ``labels`` in the order of its logits.
        data: the folder it was trained from; its held-out part is found again by the same split.
        out: the model folder to write: ``model.tflite``, ``labels.txt``, ``model.toml``, ``card.md``.
        seed: of the choice of images that activation ranges are measured with.
    """
    training, held_out = split_by_source(read_samples(data))
    pixels = np.stack([_pixels(sample) for sample in held_out])
    logits = network.predict(pixels, batch_size=64, verbose=0)
    temperature = fit_temperature(logits, np.array([labels.index(sample.label) for sample in held_out]))
    chosen = [_pixels(sample) for sample in Random(seed).sample(training, min(300, len(training)))]
    content = export(network, temperature, chosen)
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.tflite").write_bytes(content)
    (out / "labels.txt").write_text("\n".join(labels) + "\n")
    (out / "model.toml").write_text(f'name = "{out.name}"\nfile = "model.tflite"\nlabels = "labels.txt"\n')
    report = evaluate(load_model(str(out)), held_out)
    (out / "card.md").write_text(card(report, training, held_out, temperature, FULL, len(content)))
    return report


def _pixels(sample: Sample) -> np.ndarray:
    return letterbox(read_rgb(sample.path.read_bytes(), FULL), FULL)
