"""From the trained Keras network to the files that are shipped: int8, calibrated."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import keras
import numpy as np
import tensorflow as tf

from models.declaration import Output, Usage
from models.decode import letterbox, read_header, read_rgb
from models.network import softmax
from models.quiet import quiet
from models.shape import Shape
from models.training.dataset import Sample
from models.training.train import FULL

REPRESENTATIVE = 300
"""Images that the ranges of the activations are measured with."""
ONE_SHEET = 2 / 3
"""Width ÷ height of the usual film poster: 24×36 inches; 27×40 is one per cent off."""
ANY_OTHER = 0.02
"""Share of posters that may have any shape. Of the four large training sources at most 1.5 % are 15 per cent off."""


def poster_shape(samples: Sequence[Sample]) -> Shape:
    """How near to 2:3 posters are: the mean over the sources of their mean distances, so that no source dominates."""
    distances: dict[str, list[float]] = {}
    for sample in samples:
        if sample.label == "poster":
            header = read_header(sample.path.read_bytes())
            distances.setdefault(sample.source, []).append(abs(np.log(header.width / header.height / ONE_SHEET)))
    spread = float(np.mean([np.mean(those) for those in distances.values()]))
    return Shape("poster", ONE_SHEET, max(0.01, round(spread, 4)), ANY_OTHER)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns the network's logits into probabilities that hold on sources it has not seen."""

    usage: Usage
    """With the temperature and the shape."""
    offset: float
    """Added to the logit of the label that the shape is about, since it is drawn less often in training."""


def calibrate(network: keras.Model, labels: Sequence[str], shape: Shape, samples: Sequence[Sample]) -> Calibration:
    """The temperature and the offset at which what ``samples`` are is most likely.

    Temperature scaling (Guo et al., ICML 2017) with the bias that Alexandari et al. (ICML 2020) add to it, here for
    one label only: the others have too few images on sources of their own.

    Args:
        network: trained.
        labels: of its logits.
        shape: its logarithm of likelihood is added to the logits.
        samples: of sources that the network has not seen.
    """
    pixels = np.stack([_pixels(sample) for sample in samples])
    logits = network.predict(pixels, batch_size=64, verbose=0)
    targets = np.array([labels.index(sample.label) for sample in samples])
    column, likelihood = labels.index(shape.label), shape.log_likelihood(pixels)

    def surprise(temperature: float, offset: float) -> float:
        scaled = logits / temperature
        scaled[:, column] += likelihood + offset / temperature
        right = softmax(scaled)[np.arange(len(targets)), targets]
        return float(-np.log(np.maximum(right, 1e-12)).mean())

    temperatures, offsets = np.exp(np.linspace(np.log(0.5), np.log(3), 40)), np.linspace(-3, 3, 25)
    best = min(itertools.product(temperatures, offsets), key=lambda pair: surprise(*pair))
    usage = Usage(output=Output.LOGITS, temperature=round(float(best[0]), 3), shape=shape)
    return Calibration(usage, float(best[1]))


def convert(
    network: keras.Model, labels: Sequence[str], calibration: Calibration, samples: Sequence[Sample], seed: int
) -> bytes:
    """A TFLite file: uint8 (1, FULL, FULL, 3) RGB in; embedding float32 (1, 1280) and logits float32 (1, labels) out.

    All is int8 but the last layer: its steps would be the steps of the probabilities, and it is 1 % of the work.

    Args:
        network: from :func:`models.training.backbone.build`, trained.
        labels: of its logits.
        calibration: its offset goes into the last layer's bias.
        samples: some are drawn to measure the ranges of the activations with.
        seed: of the draw.
    """
    chosen = [_pixels(sample) for sample in Random(seed).sample(samples, min(REPRESENTATIVE, len(samples)))]
    pixels = keras.Input((FULL, FULL, 3), batch_size=1, dtype="uint8")
    features = keras.Model(network.input, network.get_layer("embedding").output)(pixels)
    last = keras.layers.Dense(len(labels))
    whole = keras.Model(pixels, {"embedding": features, "logits": last(features)})
    kernel, bias = network.get_layer("logits").get_weights()
    assert calibration.usage.shape is not None
    bias[labels.index(calibration.usage.shape.label)] += calibration.offset
    last.set_weights([kernel, bias])
    with tempfile.TemporaryDirectory() as folder, quiet():
        whole.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[np.newaxis]] for image in chosen)
        options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=["FULLY_CONNECTED"])
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=converter.representative_dataset, debug_options=options
        )
        return bytes(debugger.get_nondebug_quantized_model())


def write_model(out: Path, content: bytes, labels: Sequence[str], usage: Usage) -> None:
    """Write ``model.tflite``, ``labels.txt`` and ``model.toml`` into the folder ``out``; made if missing."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.tflite").write_bytes(content)
    (out / "labels.txt").write_text("\n".join(labels) + "\n")
    lines = [
        f'name = "{out.name}"',
        'kind = "tflite"',
        'file = "model.tflite"',
        'labels = "labels.txt"',
        f'output = "{usage.output}"',
        f"temperature = {usage.temperature}",
    ]
    if usage.shape is not None:
        shape = usage.shape
        lines += [
            "",
            "[shape]",
            f'label = "{shape.label}"',
            f"aspect = {shape.aspect:.4f}",
            f"spread = {shape.spread}",
            f"any_other = {shape.any_other}",
        ]
    (out / "model.toml").write_text("\n".join(lines) + "\n")


def _pixels(sample: Sample) -> np.ndarray:
    return letterbox(read_rgb(sample.path.read_bytes(), FULL), FULL)
