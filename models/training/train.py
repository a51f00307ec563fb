"""Train ``web-images``: every layer of MobileNetV2, from ImageNet weights, on pictures of the web.

The recipe is the field's usual one for a small data set: the last layer first, then all; AdamW with a cosine
schedule, label smoothing, an average of the weights over the last steps (the one that is kept), small pictures
first, sampling balanced over labels and sources, and augmentation that imitates the web.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from models.training.backbone import build, load_imagenet
from models.training.batches import Batches
from models.training.compose import DRAWN
from models.training.dataset import Sample

AVERAGING = 0.998
"""Of the moving average of the weights, per step: it reaches back over some 500 steps, two or three epochs."""
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
    Phase("small", 128, 5, 2e-4),
    Phase("full", FULL, 3, 1e-4),
)
LAST = Phase("all-sources", FULL, 2, 5e-5)
"""After measuring: the held-out sources are learned as well, since a shipped model should have seen all there is."""


class Averaged(keras.callbacks.Callback):  # type: ignore[misc]
    """The moving average of the weights, put in place at the end; short at first, so that the start is forgotten."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Keras calls this."""
        self.step, self.average = 0, [v.numpy().copy() for v in self.model.trainable_variables]

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Keras calls this."""
        self.step += 1
        share = min(AVERAGING, self.step / (self.step + 9))
        for mean, variable in zip(self.average, self.model.trainable_variables, strict=True):
            mean *= share
            mean += (1 - share) * variable.numpy()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Keras calls this."""
        for mean, variable in zip(self.average, self.model.trainable_variables, strict=True):
            variable.assign(mean)


class Log(keras.callbacks.Callback):  # type: ignore[misc]
    """One JSON line per epoch, to the screen and to ``training.jsonl``."""

    def __init__(self, out: Path, phase: Phase) -> None:
        super().__init__()
        self.out, self.phase, self.started = out, phase, time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keras calls this."""
        seconds = time.monotonic() - self.started
        row: dict[str, Any] = {"phase": self.phase.name, "epoch": epoch + 1, "of": self.phase.epochs}
        row |= {name: round(float(value), 4) for name, value in (logs or {}).items()}
        row |= {"seconds": round(seconds), "phase_eta": round(seconds / (epoch + 1) * (self.phase.epochs - epoch - 1))}
        with (self.out / "training.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)  # noqa: T201


def start(samples: Sequence[Sample], imagenet: Path, seed: int) -> tuple[keras.Model, list[str]]:
    """A network with ImageNet's features and a last layer that knows nothing yet; and the labels of its logits."""
    keras.utils.set_random_seed(seed)
    labels = sorted({sample.label for sample in samples} | set(DRAWN))
    model = build(len(labels))
    load_imagenet(model, imagenet)
    return model, labels


def fit(
    model: keras.Model,
    labels: Sequence[str],
    samples: Sequence[Sample],
    phases: Sequence[Phase],
    out: Path,
    seed: int,
) -> None:
    """Train ``model`` on ``samples``, phase by phase.

    Each finished phase is kept in ``out`` as ``<phase>.weights.h5``; a phase that is there already is read instead
    of trained again, so an interrupted training goes on with the phase it was in.
    """
    batches: Batches | None = None
    for number, phase in enumerate(phases):
        kept = out / f"{phase.name}.weights.h5"
        if kept.exists():
            model.load_weights(kept)
            continue
        batches = batches or Batches(samples, labels, seed)
        batches.epoch, batches.side = 100 * number, phase.side
        batches.on_epoch_end()  # the same draws whether or not the phases before were trained in this run
        _fit(model, batches, phase, out)
        partial = kept.with_suffix(".part.weights.h5")
        model.save_weights(partial)
        partial.rename(kept)


def _fit(model: keras.Model, batches: Batches, phase: Phase, out: Path) -> None:
    for layer in model.layers:
        layer.trainable = phase.whole or layer.name == "logits"
    steps = phase.epochs * len(batches)
    warmup = min(150, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        phase.learning_rate / 50,
        steps - warmup,
        alpha=0.01,
        warmup_target=phase.learning_rate,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=0.02, global_clipnorm=5.0)
    model.compile(
        optimizer,
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.05),
        metrics=[keras.metrics.CategoricalAccuracy("accuracy")],
    )
    optimizer.build(
        model.trainable_variables
    )  # TensorFlow makes the graph of a step twice, should variables come with it
    model.fit(batches, epochs=phase.epochs, verbose=0, callbacks=[Averaged(), Log(out, phase)])
