"""The network that is trained: the shipped model's MobileNetV2, with a small head on its features."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from models.registry import WEIGHTS
from models.training.backbone import EMBEDDING, build, kernels

HEIGHT, WIDTH = 112, 80
"""Pixels: nearly the shape of a poster."""
BACKBONE = WEIGHTS / "web-images" / "model.tflite"
FROZEN = ("stem", "block1", "block2", "block3")
"""Edges and textures are what they are; without them a step takes less than half the time."""


def embedder(size: int) -> keras.Model:
    """uint8 RGB (N, HEIGHT, WIDTH, 3) to float32 (N, ``size``) of length 1; the layer ``embedding`` gives features.

    It begins as the shipped network, whose int8 weights are turned back into numbers that can be trained, and a random
    projection, which keeps angles as they are (Johnson & Lindenstrauss 1984).
    """
    whole = build(1)
    layers = [one for one in whole.layers if isinstance(one, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)]
    for layer, (kernel, bias) in zip(layers, kernels(BACKBONE), strict=True):
        layer.set_weights([kernel.transpose(1, 2, 3, 0), bias])
    for layer in whole.layers:
        layer.trainable = not layer.name.startswith(FROZEN)
    features = whole.get_layer("embedding").output
    start = keras.initializers.RandomNormal(stddev=EMBEDDING**-0.5, seed=0)
    head = keras.layers.Dense(size, use_bias=False, kernel_initializer=start, name="head")(features)
    return keras.Model(whole.input, keras.layers.UnitNormalization(name="unit")(head))


def contrastive(embeddings: tf.Tensor, targets: tf.Tensor, temperature: float) -> tf.Tensor:
    """Supervised contrastive loss (Khosla et al., NeurIPS 2020, eq. 2), with weights on its positives.

    Args:
        embeddings: float32 (N, D), of length 1.
        targets: float32 (N, N), how much each pair should be one; the diagonal does not count. A row sums to 1.
        temperature: smaller: the nearest negatives matter more.
    """
    itself = tf.eye(tf.shape(embeddings)[0]) * 1e9
    logits = tf.matmul(embeddings, embeddings, transpose_b=True) / temperature - itself
    return -tf.reduce_mean(tf.reduce_sum(targets * tf.nn.log_softmax(logits), axis=1))


def targets_of(films: np.ndarray, genres: np.ndarray, genre_share: float) -> np.ndarray:
    """What :func:`contrastive` asks for: of each row, ``genre_share`` is for those that share a genre.

    Args:
        films: int (N,).
        genres: 0 or 1 (N, G); a row of zeros: not known.
        genre_share: 0–1; the rest, or all where nothing shares a genre, is for the same film.
    """
    apart = 1 - np.eye(len(films), dtype=np.float32)
    film = (films[:, None] == films[None, :]) * apart
    genre = (genres @ genres.T > 0) * apart
    film /= np.maximum(film.sum(1, keepdims=True), 1)
    shares = genre.sum(1, keepdims=True) > 0
    genre = genre / np.maximum(genre.sum(1, keepdims=True), 1)
    share = genre_share * shares
    return np.asarray((1 - share) * film + share * genre, np.float32)
