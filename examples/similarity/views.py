"""Other versions of a poster: random ones to learn from, and fixed ones, drawn another way, to be examined with."""

from __future__ import annotations

import io

import numpy as np
import tensorflow as tf
from network import HEIGHT, WIDTH
from PIL import Image, ImageDraw, ImageEnhance, ImageOps


def augment(image: tf.Tensor) -> tf.Tensor:
    """One random version of a poster: cut, in other colours, partly covered, compressed. uint8 in and out."""
    area = tf.random.uniform((), 0.35, 1.0)
    shape = tf.exp(tf.random.uniform((), -0.25, 0.25))
    height = tf.minimum(tf.sqrt(area * shape), 1.0) * HEIGHT
    width = tf.minimum(tf.sqrt(area / shape), 1.0) * WIDTH
    cut = tf.image.random_crop(image, (tf.cast(height, tf.int32), tf.cast(width, tf.int32), 3))
    view = tf.image.resize(cut, (HEIGHT, WIDTH))
    view = tf.image.random_brightness(view / 255, 0.2)
    view = tf.image.random_contrast(view, 0.6, 1.5)
    view = tf.image.random_saturation(tf.clip_by_value(view, 0, 1), 0.2, 1.6)
    view = tf.image.random_hue(view, 0.06)
    if tf.random.uniform(()) < 0.15:
        view = tf.image.grayscale_to_rgb(tf.image.rgb_to_grayscale(view))
    view = _cover(view)
    view = tf.image.convert_image_dtype(tf.clip_by_value(view, 0, 1), tf.uint8, saturate=True)
    return tf.ensure_shape(tf.image.random_jpeg_quality(view, 30, 90), (HEIGHT, WIDTH, 3))


def _cover(view: tf.Tensor) -> tf.Tensor:
    """With a plain rectangle somewhere, as other lettering would hide what was there."""
    high, wide = tf.random.uniform((), 0.0, 0.3), tf.random.uniform((), 0.2, 1.0)
    top, left = tf.random.uniform((), 0, 1 - high), tf.random.uniform((), 0, 1 - wide)
    rows = (tf.range(HEIGHT, dtype=tf.float32) / HEIGHT)[:, None, None]
    columns = (tf.range(WIDTH, dtype=tf.float32) / WIDTH)[None, :, None]
    inside = (rows >= top) & (rows < top + high) & (columns >= left) & (columns < left + wide)
    return tf.where(inside, tf.random.uniform((1, 1, 3)), view)


def second_version(poster: Image.Image, seed: int) -> Image.Image:
    """The poster as another release might show it: a part of it, turned a little, tinted, with another title and frame.

    The same for the same seed.
    """
    rng = np.random.default_rng(seed)
    wide, high = poster.size
    keep = rng.uniform(0.55, 0.85, 2)
    left, top = (1 - keep) * rng.uniform(0, 1, 2)
    turned = poster.rotate(rng.uniform(-7, 7), Image.Resampling.BICUBIC, fillcolor=(0, 0, 0))
    box = (left * wide, top * high, (left + keep[0]) * wide, (top + keep[1]) * high)
    cut = turned.crop(tuple(round(side) for side in box)).resize(poster.size, Image.Resampling.BICUBIC)
    how = rng.integers(4)
    if how == 0:
        cut = ImageOps.grayscale(cut).convert("RGB")
    elif how == 1:
        tint = Image.new("RGB", cut.size, tuple(int(part) for part in rng.integers(0, 256, 3)))
        cut = Image.blend(cut, tint, 0.35)
    elif how == 2:
        cut = ImageEnhance.Contrast(ImageEnhance.Brightness(cut).enhance(rng.uniform(0.5, 1.5))).enhance(1.6)
    draw = ImageDraw.Draw(cut)
    ink = tuple(int(part) for part in rng.integers(0, 256, 3))
    line, at = high * rng.uniform(0.05, 0.09), high * rng.uniform(0.05, 0.75)
    for _ in range(2):
        for letter in range(int(wide * 0.85 / (line * 0.7))):
            x = wide * 0.08 + letter * line * 0.7
            draw.rectangle((x, at, x + line * rng.uniform(0.2, 0.55), at + line), fill=ink)
        at += line * 1.35
    frame = int(wide * rng.uniform(0, 0.08))
    framed = ImageOps.expand(cut, frame, tuple(int(part) for part in rng.integers(0, 256, 3)))
    out = io.BytesIO()
    framed.resize(poster.size).save(out, "JPEG", quality=int(rng.integers(25, 60)))
    return Image.open(out).convert("RGB")
