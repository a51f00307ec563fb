"""Training batches: drawn by weight, composed, augmented, letterboxed; the same seed gives the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import keras
import numpy as np
from PIL import Image

from models.decode import letterbox, read_rgb
from models.training.augment import augment, mend_corner, reshape
from models.training.compose import COMPOSITIONS, DRAWN
from models.training.dataset import MARKED, Sample, sampling_weights

BATCH = 64
DRAWN_SHARE = 0.03
"""Share of the batches that each label gets of which there are no photographs."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Endless variety: each epoch draws anew and augments anew.

    One batch is pixels uint8 (64, side, side, 3) and targets float32 (64, labels), one-hot.
    """

    def __init__(self, samples: Sequence[Sample], labels: Sequence[str], seed: int) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self.files = [sample.path.read_bytes() for sample in samples]
        self.marked = [sample.source in MARKED for sample in samples]
        self.labels = [sample.label for sample in samples] + list(DRAWN)
        self.targets = np.array([labels.index(label) for label in self.labels])
        real = 1 - DRAWN_SHARE * len(DRAWN)
        self.weights = np.array([*(real * weight for weight in sampling_weights(samples)), *[DRAWN_SHARE] * len(DRAWN)])
        self.classes, self.seed, self.epoch, self.side = len(labels), seed, 0, 0
        by_label: dict[str, list[int]] = {}
        for index, sample in enumerate(samples):
            by_label.setdefault(sample.label, []).append(index)
        # Per label, then per picture: there are twenty times as many posters as works of art.
        self.parts = {
            label: [by_label[part] for part in sorted(made_of) if part in by_label]
            for label, (_, made_of, _) in COMPOSITIONS.items()
        }
        self._draw()

    def __len__(self) -> int:
        return max(1, len(self.files) // BATCH)

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
        self.order = chance.choice(len(self.labels), len(self) * BATCH, p=self.weights / self.weights.sum())

    def _variant(self, i: int, rng: Random) -> np.ndarray:
        label = self.labels[i]
        often, _, compose = COMPOSITIONS.get(label, (0.0, None, None))
        if compose is not None and rng.random() < often and self.parts[label]:
            image = compose(self._read(rng.choice(rng.choice(self.parts[label]))), rng)
        elif i < len(self.files):
            image = self._read(i)
        else:  # a drawn label, and nothing to draw it on: a plain ground will do
            image = Image.new("RGB", (144, 144), (128, 128, 128))
        return letterbox(augment(reshape(image, label == "poster", rng), rng), self.side)

    def _read(self, i: int) -> Image.Image:
        image = read_rgb(self.files[i], 288)
        return mend_corner(image) if self.marked[i] else image
