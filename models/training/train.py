"""Train ``web-images``: every layer of MobileNetV2, from ImageNet weights, on pictures of the web.

The recipe is the field's usual one for a small data set: the last layer first, then all; AdamW with a cosine
schedule, label smoothing, an exponential moving average of the weights (the one that is shipped), small pictures
first, sampling balanced over labels and sources, and augmentation that imitates the web.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import keras
import numpy as np
from PIL import Image

from models.decode import letterbox, read_rgb
from models.training.augment import augment, mend_corner
from models.training.backbone import build, load_imagenet
from models.training.compose import COMPOSITIONS
from models.training.dataset import MARKED, Sample, read_samples, sampling_weights, split_by_source

BATCH = 64
AVERAGING = 0.998
"""Of the moving average of the weights, per step: it reaches back over some 500 steps, half a phase."""
FULL = 144
"""Side of the square input, in pixels. A poster's 2:3 becomes 96×144 in it, whole numbers that show well."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the training: what is trained, at which input side, for how long and how fast."""

    name: str
    side: int
    epochs: int
    learning_rate: float
    whole: bool = True
    """All layers, or only the last one."""


# The new last layer is fitted first, on features still as ImageNet left them: starting to train everything while it
# is random would first destroy what generalises (Kumar et al., ICLR 2022). Small pictures are seen sooner and
# cheaper; the final side comes last (mixed resolution, Touvron et al., NeurIPS 2019).
PHASES = (
    Phase("head", 128, 1, 3e-3, whole=False),
    Phase("small", 128, 5, 3e-4),
    Phase("full", FULL, 4, 2e-4),
)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Endless variety: each epoch draws anew, by weight, and augments anew; the same seed gives the same epochs."""

    def __init__(self, samples: Sequence[Sample], labels: Sequence[str], seed: int) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self.files = [sample.path.read_bytes() for sample in samples]
        self.marked = [sample.source in MARKED for sample in samples]
        self.targets = np.array([labels.index(sample.label) for sample in samples])
        self.weights = np.array(sampling_weights(samples))
        self.labels = [sample.label for sample in samples]
        self.parts = {
            label: [i for i, sample in enumerate(samples) if sample.label in made_of]
            for label, (_, made_of, _) in COMPOSITIONS.items()
        }
        self.classes, self.seed, self.epoch, self.side = len(labels), seed, 0, FULL
        self._draw()

    def __len__(self) -> int:
        return len(self.files) // BATCH

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.order[index * BATCH : (index + 1) * BATCH]
        pixels = np.stack(
            [self._variant(int(i), Random(f"{self.seed}/{self.epoch}/{index}/{k}")) for k, i in enumerate(chosen)]
        )
        return pixels, np.eye(self.classes, dtype=np.float32)[self.targets[chosen]]

    def on_epoch_end(self) -> None:
        """Keras calls this between epochs."""
        self.epoch += 1
        self._draw()

    def _draw(self) -> None:
        chance = np.random.default_rng((self.seed, self.epoch))
        self.order = chance.choice(len(self.files), len(self) * BATCH, p=self.weights)

    def _variant(self, i: int, rng: Random) -> np.ndarray:
        often, _, compose = COMPOSITIONS.get(self.labels[i], (0.0, None, None))
        if compose is not None and rng.random() < often:
            image = compose(self._read(rng.choice(self.parts[self.labels[i]])), rng)
        else:
            image = self._read(i)
        return letterbox(augment(image, rng), self.side)

    def _read(self, i: int) -> Image.Image:
        image = read_rgb(self.files[i], 288)
        return mend_corner(image) if self.marked[i] else image


class Log(keras.callbacks.Callback):  # type: ignore[misc]
    """One JSON line per epoch, and the averaged weights so far, so that a stopped training is not lost."""

    def __init__(self, out: Path, phase: Phase) -> None:
        super().__init__()
        self.out, self.phase, self.started = out, phase, time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the line and the checkpoint."""
        seconds = time.monotonic() - self.started
        row: dict[str, Any] = {"phase": self.phase.name, "epoch": epoch + 1, "of": self.phase.epochs}
        row |= {name: round(float(value), 4) for name, value in (logs or {}).items()}
        row |= {"seconds": round(seconds), "phase_eta": round(seconds / (epoch + 1) * (self.phase.epochs - epoch - 1))}
        with (self.out / "training.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)  # noqa: T201
        self.model.save_weights(self.out / "checkpoint.weights.h5")


def train(data: Path, out: Path, imagenet: Path, seed: int = 7) -> tuple[keras.Model, list[str]]:
    """Fit the network on the training sources of ``data``; gives it with the labels of its logits.

    Args:
        data: folder of ``<label>/<source>__<id>.<ext>``.
        out: folder to write to; made if missing. ``training.jsonl`` grows by one line an epoch, and
            ``checkpoint.weights.h5`` holds the averaged weights after the last one.
        imagenet: quantised MobileNetV2 1.0 .tflite to start from.
        seed: of the weights, the draws and the augmentation.
    """
    keras.utils.set_random_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    training, held_out = split_by_source(read_samples(data))
    labels = sorted({sample.label for sample in training})
    print(f"{len(training)} images train, {len(held_out)} held out, {len(labels)} labels", flush=True)  # noqa: T201

    model = build(len(labels))
    measured = Random(seed).sample(training, min(512, len(training)))
    load_imagenet(model, imagenet, np.stack([letterbox(read_rgb(s.path.read_bytes(), FULL), FULL) for s in measured]))
    batches = Batches(training, labels, seed)
    for phase in PHASES:
        _fit(model, batches, phase, out)
    return model, labels


def _fit(model: keras.Model, batches: Batches, phase: Phase, out: Path) -> None:
    for layer in model.layers:
        layer.trainable = phase.whole or layer.name == "logits"
    batches.side = phase.side
    steps = phase.epochs * len(batches)
    warmup = min(200, steps // 10)
    model.compile(
        keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                phase.learning_rate / 50,
                steps - warmup,
                alpha=0.02,
                warmup_target=phase.learning_rate,
                warmup_steps=warmup,
            ),
            weight_decay=0.02,
            use_ema=True,
            ema_momentum=AVERAGING,
        ),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.05),
        metrics=["accuracy"],
    )
    callbacks = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True), Log(out, phase)]
    model.fit(batches, epochs=phase.epochs, verbose=0, callbacks=callbacks)
