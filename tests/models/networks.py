"""Small networks made on the spot, in every format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.quiet import quiet

with quiet():
    import keras
    import tensorflow as tf

SIDE = 32
LABELS = ("card", "logo", "photo", "poster")
PIXELS = np.random.default_rng(5).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)


def network(
    side: int | None = SIDE,
    channels: int = 3,
    labels: int = len(LABELS),
    activation: str | None = "softmax",
    batch: int | None = None,
    dtype: str = "float32",
    rescaling: bool = False,
    embedding: bool = False,
) -> keras.Model:
    """A convolution and a dense layer, the same weights each time."""
    keras.utils.set_random_seed(3)
    pixels = keras.Input((side, side, channels), batch_size=batch, dtype=dtype)
    scaled = keras.layers.Rescaling(1 / 255)(pixels) if rescaling else pixels
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(8, 3)(scaled))
    scores = keras.layers.Dense(labels, activation=activation)(pooled)
    return keras.Model(pixels, [pooled, scores] if embedding else scores)


def expected(network: keras.Model, pixels: np.ndarray = PIXELS, low: float = 0, high: float = 1) -> np.ndarray:
    """What Keras itself answers where black is ``low`` and white is ``high``."""
    return network(np.asarray(low + pixels * ((high - low) / 255), np.float32)).numpy()


def keras_file(folder: Path, network: keras.Model) -> Path:
    file = labelled(folder) / "net.keras"
    network.save(file)
    return file


def saved_model(folder: Path, network: keras.Model) -> Path:
    with quiet():
        network.export(str(labelled(folder) / "net"), verbose=False)
    return folder / "net"


def tflite(folder: Path, network: keras.Model, integers: tf.DType | None = None) -> Path:
    """``integers``: quantised throughout, with input and output of that type."""
    labelled(folder)
    with quiet():
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        if integers is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([row[np.newaxis] / np.float32(255)] for row in PIXELS)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = integers
        (folder / "net.tflite").write_bytes(converter.convert())
    return folder / "net.tflite"


def labelled(folder: Path, labels: tuple[str, ...] = LABELS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labels.txt").write_text("\n".join(labels) + "\n")
    return folder


def declared(file: Path, **keys: object) -> str:
    """The folder of ``file``, with a ``model.toml``."""
    given = {"file": file.name, "labels": "labels.txt", **keys}
    lines = [f"{key} = {value!r}".replace("'", '"') for key, value in given.items()]
    (file.parent / "model.toml").write_text("\n".join(lines))
    return str(file.parent)
