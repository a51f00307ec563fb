"""Training: batches of posters, each seen twice, in other versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from network import contrastive, embedder, targets_of
from views import augment


@dataclass(frozen=True)
class Rules:
    """What was chosen by trying: see README.md."""

    size: int = 256
    """Of what the head gives, on which the loss is computed."""
    epochs: int = 16
    batch: int = 48
    """Posters; a step sees two versions of each."""
    rate: float = 2e-4
    temperature: float = 0.1
    genre_share: float = 0.1
    """Of what the loss asks for; the rest is for the film."""
    hard: int = 1
    """Hard negatives, from the export's pairs, that come into the batch with each of its anchors."""
    seed: int = 0


def fit(
    images: np.ndarray,
    films: np.ndarray,
    genres: np.ndarray,
    negatives: list[np.ndarray],
    rules: Rules,
    told: Callable[[int, float], None],
) -> keras.Model:
    """A network that was trained on ``images``, uint8 (N, HEIGHT, WIDTH, 3), and gives 1,280 features of each.

    The head, on which the loss is computed, is left out of it: the features under it are the better embedding, as
    Khosla et al. found, and trials here did.

    Args:
        images: posters of the split *train*.
        films: int (N,), which film each is of.
        genres: 0 or 1 (N, G).
        negatives: for each poster, the rows of its hard negatives.
        rules: how.
        told: called after each epoch with its number, from 1, and the mean loss.
    """
    keras.utils.set_random_seed(rules.seed)
    model = embedder(rules.size)
    batches = max(len(images) // rules.batch, 1)
    rate = keras.optimizers.schedules.CosineDecay(rules.rate, batches * rules.epochs, alpha=0.02)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-4, clipnorm=1.0)
    optimizer.build(model.trainable_variables)  # or the graph of a step is made twice

    @tf.function(reduce_retracing=True)
    def step(pixels: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        views = tf.map_fn(augment, pixels, parallel_iterations=8)
        with tf.GradientTape() as tape:
            loss = contrastive(model(views, training=True), targets, rules.temperature)
        weights = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    orders = _orders(len(images), negatives, rules)
    for epoch in range(1, rules.epochs + 1):
        losses = []
        for _ in range(batches):
            rows = np.tile(next(orders), 2)
            targets = targets_of(films[rows], genres[rows], rules.genre_share)
            losses.append(float(step(tf.constant(images[rows]), tf.constant(targets))))
        told(epoch, float(np.mean(losses)))
    return keras.Model(model.input, model.get_layer("embedding").output)


def _orders(number: int, negatives: list[np.ndarray], rules: Rules) -> Iterator[np.ndarray]:
    """Rows of one batch after the other: anchors in random order, and hard negatives of each."""
    rng = np.random.default_rng(rules.seed)
    waiting: list[int] = []
    while True:
        rows: list[int] = []
        while len(rows) < min(rules.batch, number):
            if not waiting:
                waiting = rng.permutation(number).tolist()
            anchor = waiting.pop()
            hard = negatives[anchor]
            chosen = rng.choice(hard, min(rules.hard, len(hard)), replace=False) if len(hard) else []
            rows += [row for row in (anchor, *chosen) if row not in rows]
        yield np.array(rows[: rules.batch])
