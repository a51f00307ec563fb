"""MobileNetV2 (Sandler et al., CVPR 2018) as Keras builds it, started from ImageNet weights in a TFLite file.

Published quantised files carry the ImageNet weights with BatchNorm folded into the convolutions. They are read
back in two steps. First each kernel is de-quantised (scale × (q − zero point), per output channel) and BatchNorm is
set to pass its input through, plus the bias. That network answers like the file does, but training it would
normalise by batch statistics that the folded scale no longer matches. So the second step runs some images through
it, measures the mean and variance in front of every BatchNorm, and writes both into its parameters: the answers
stay the same, and training continues as if the layers had never been folded.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

EPSILON = 1e-3  # BatchNorm's epsilon in keras.applications.MobileNetV2


def build(labels: int, dropout: float = 0.2) -> keras.Model:
    """The network: uint8 RGB (N, S, S, 3), 0–255, S a multiple of 16, to logits float32 (N, ``labels``).

    The layer ``embedding`` gives the pooled features, float32 (N, 1280).
    """
    pixels = keras.Input((None, None, 3), dtype="uint8", name="pixels")
    scaled = keras.layers.Rescaling(1 / 127.5, -1, name="scale")(pixels)
    body = keras.applications.MobileNetV2(input_shape=(None, None, 3), include_top=False, weights=None)
    pooled = keras.layers.GlobalAveragePooling2D(name="embedding")(body(scaled))
    hidden = keras.layers.Dropout(dropout, name="dropout")(pooled)
    return keras.Model(pixels, keras.layers.Dense(labels, name="logits")(hidden))


def load_imagenet(model: keras.Model, file: Path, images: np.ndarray) -> None:
    """Fill the convolutions of ``model`` from a quantised MobileNetV2 1.0 ``file`` (.tflite).

    Args:
        model: from :func:`build`.
        file: TFLite file of MobileNetV2, width 1.0, BatchNorm folded, int8 or uint8.
        images: uint8 (N, S, S, 3), a few hundred, to measure activations with.

    Raises:
        ValueError: the file's layers are not those of MobileNetV2 1.0.
    """
    body = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    pairs = list(_convolutions(body))
    tensors = _kernels(file)
    if len(tensors) != len(pairs):
        raise ValueError(f"{file}: {len(tensors)} convolutions found, MobileNetV2 1.0 has {len(pairs)}")
    biases = []
    for (convolution, norm), (kernel, bias) in zip(pairs, tensors, strict=True):
        # TFLite keeps (out, h, w, in); depthwise (1, h, w, channels).
        depthwise = isinstance(convolution, keras.layers.DepthwiseConv2D)
        kernel = kernel.transpose(1, 2, 3, 0)
        if kernel.shape != tuple(convolution.kernel.shape):
            raise ValueError(
                f"{file}: {convolution.name} is {kernel.shape}, expected {tuple(convolution.kernel.shape)}"
            )
        assert not depthwise or kernel.shape[3] == 1
        convolution.set_weights([kernel])
        norm.set_weights([np.ones_like(bias), bias, np.zeros_like(bias), np.full_like(bias, 1 - EPSILON)])
        biases.append(bias)
    probe = keras.Model(body.input, [convolution.output for convolution, _ in pairs])
    sums = [np.zeros((2, len(bias))) for bias in biases]
    counts = [0] * len(pairs)
    for start in range(0, len(images), 32):
        batch = images[start : start + 32].astype(np.float32) / 127.5 - 1
        for index, output in enumerate(probe.predict_on_batch(batch)):
            flat = output.reshape(-1, output.shape[-1]).astype(np.float64)
            sums[index] += (flat.sum(0), (flat**2).sum(0))
            counts[index] += len(flat)
    for (_, norm), bias, (total, squares), count in zip(pairs, biases, sums, counts, strict=True):
        mean = total / count
        variance = np.maximum(squares / count - mean**2, 1e-4)
        deviation = np.sqrt(variance + EPSILON)
        norm.set_weights([w.astype(np.float32) for w in (deviation, bias + mean, mean, variance)])


def _convolutions(body: keras.Model) -> list[tuple[keras.layers.Layer, keras.layers.BatchNormalization]]:
    """Each convolution with the BatchNorm behind it, from input to output."""
    layers = [
        layer
        for layer in body.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D | keras.layers.BatchNormalization)
    ]
    return list(zip(layers[0::2], layers[1::2], strict=True))


def _kernels(file: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """De-quantised (kernel, bias) of each convolution but the last, which is ImageNet's classifier."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that keeping all tensors is for looking into a model: so it is
        interpreter = Interpreter(str(file), experimental_preserve_all_tensors=True)
    details = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}

    def value(index: int) -> np.ndarray:
        quantization = details[index]["quantization_parameters"]
        shape = [1] * len(details[index]["shape"])
        if len(quantization["scales"]) > 1:
            shape[quantization["quantized_dimension"]] = -1
        scale = quantization["scales"].astype(np.float64).reshape(shape)
        zero = quantization["zero_points"].astype(np.float64).reshape(shape)
        return np.asarray((interpreter.get_tensor(index) - zero) * scale, np.float32)

    found = [
        (value(op["inputs"][1]), value(op["inputs"][2]))
        for op in interpreter._get_ops_details()
        if op["op_name"] in {"CONV_2D", "DEPTHWISE_CONV_2D"}
    ]
    return found[:-1]
