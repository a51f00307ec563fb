"""MobileNetV2 (Sandler et al., CVPR 2018) with BatchNorm folded in, started from ImageNet weights in a TFLite file.

Published quantised files carry the ImageNet weights with BatchNorm folded into the convolutions. Each kernel is
de-quantised (scale × (q − zero point), per output channel), and training goes on from there without BatchNorm: on
few sources its batch statistics are one more thing to learn a source by, the step takes half the time, and what is
trained is what is converted to int8.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

EMBEDDING = 1280
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Table 2 of the paper: expansion, channels, repeats, stride of the first."""


def build(labels: int, dropout: float = 0.2) -> keras.Model:
    """The network: uint8 RGB (N, S, S, 3), 0–255, S a multiple of 16, to logits float32 (N, ``labels``).

    The layer ``embedding`` gives the pooled features, float32 (N, 1280), each 0–6.
    """
    pixels = keras.Input((None, None, 3), dtype="uint8", name="pixels")
    x = keras.layers.Rescaling(1 / 127.5, -1, name="scale")(pixels)
    x = _convolve(x, "stem", filters=32, size=3, stride=2)
    width = 32
    for stage, (expansion, channels, repeats, stride) in enumerate(STAGES, 1):
        for repeat in range(repeats):
            name, before = f"block{stage}{'abcd'[repeat]}", x
            if expansion > 1:
                x = _convolve(x, f"{name}_expand", filters=expansion * width)
            x = _convolve(x, f"{name}_depthwise", size=3, stride=1 if repeat else stride)
            x = _convolve(x, f"{name}_project", filters=channels, linear=True)
            if repeat:
                x = keras.layers.Add(name=f"{name}_add")([before, x])
            width = channels
    x = _convolve(x, "top", filters=EMBEDDING)
    pooled = keras.layers.GlobalAveragePooling2D(name="embedding")(x)
    hidden = keras.layers.Dropout(dropout, name="dropout")(pooled)
    return keras.Model(pixels, keras.layers.Dense(labels, name="logits")(hidden))


def _convolve(
    x: keras.KerasTensor, name: str, *, filters: int = 0, size: int = 1, stride: int = 1, linear: bool = False
) -> keras.KerasTensor:
    """Convolution (depthwise where no ``filters`` are given), bias, ReLU6 unless ``linear``."""
    if stride == 2:  # as the published weights were trained: padded below and to the right
        x = keras.layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_pad")(x)
    padding = "valid" if stride == 2 else "same"
    if filters:
        x = keras.layers.Conv2D(filters, size, stride, padding, name=name)(x)
    else:
        x = keras.layers.DepthwiseConv2D(size, stride, padding, name=name)(x)
    return x if linear else keras.layers.ReLU(6.0, name=f"{name}_relu")(x)


def load_imagenet(model: keras.Model, file: Path) -> None:
    """Fill the convolutions of ``model`` from a quantised MobileNetV2 1.0 ``file`` (.tflite).

    Raises:
        ValueError: the file's layers are not those of MobileNetV2 1.0.
    """
    layers = [x for x in model.layers if isinstance(x, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)]
    tensors = kernels(file)[:-1]  # the last is ImageNet's classifier
    if len(tensors) != len(layers):
        raise ValueError(f"{file}: {len(tensors)} convolutions found, MobileNetV2 1.0 has {len(layers)}")
    for layer, (kernel, bias) in zip(layers, tensors, strict=True):
        kernel = kernel.transpose(1, 2, 3, 0)  # TFLite keeps (out, h, w, in); depthwise (1, h, w, channels)
        if kernel.shape != tuple(layer.kernel.shape):
            raise ValueError(f"{file}: {layer.name} is {kernel.shape}, expected {tuple(layer.kernel.shape)}")
        layer.set_weights([kernel, bias])


def kernels(file: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """De-quantised (kernel, bias) of each convolution in a .tflite ``file``, in their order, as TFLite keeps them."""
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

    return [
        (value(op["inputs"][1]), value(op["inputs"][2]))
        for op in interpreter._get_ops_details()
        if op["op_name"] in {"CONV_2D", "DEPTHWISE_CONV_2D"}
    ]
