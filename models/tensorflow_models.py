"""``.keras`` files and SavedModels, run by TensorFlow, which is imported when the first one is loaded."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from models.classifier import ModelError
from models.declaration import PLAIN, Kind, Usage
from models.download import cache_folder
from models.network import NetworkClassifier
from models.quiet import quiet

SCALING = {"Rescaling", "Normalization"}
"""Keras layers that show that a model takes pixels as they are, 0–255."""


class TensorFlowClassifier(NetworkClassifier):
    """See :class:`models.classifier.Classifier`.

    Args:
        kind: ``keras`` or ``savedmodel``; a SavedModel answers by its signature ``serving_default``, or as a function.
        file: a ``.keras`` file or the folder of a SavedModel.

    Raises:
        ModelError: it cannot be read, or does not fit.
    """

    def __init__(
        self,
        kind: Kind,
        file: Path,
        name: str,
        labels: tuple[str, ...] | None,
        usage: Usage = PLAIN,
        curve: Path | None = None,
    ) -> None:
        super().__init__(name, file, labels, usage, curve)
        self._kind = kind
        weights = _hash(file)
        with quiet():
            self._tf = import_quietly("tensorflow")
            try:
                call, shape, dtype, scales = (_open_keras if kind is Kind.KERAS else _open_saved)(file)
            except ModelError:
                raise
            except Exception as error:  # both formats can fail in anything where a file is damaged
                what = ".keras file" if kind is Kind.KERAS else "SavedModel"
                raise ModelError(f"model {name}: {file} is not a readable {what} ({_first_line(error)})") from None
        self._check_input(shape)
        self._call, self._one_by_one = call, shape[0] == 1
        self._dtype = self._tf.as_dtype(dtype).as_numpy_dtype
        low, high = 0.0, 255.0
        if usage.range is not None or (np.issubdtype(self._dtype, np.floating) and not scales):
            low, high = self._range()
        self._table = (low + np.arange(256) * ((high - low) / 255)).astype(self._dtype)
        try:
            with quiet():
                outputs = len(self._run(np.zeros((1, self.side, self.side, 3), np.uint8)))
        except Exception as error:
            raise self._error(f"cannot answer {self.side}x{self.side} images ({_first_line(error)})") from None
        self._check_answers(outputs)
        self.hash = self._usage.identity(weights)

    def __reduce__(self) -> tuple[Callable[..., TensorFlowClassifier], tuple[Any, ...]]:
        """Another process rebuilds it from the same file."""
        return _in_worker, (self._kind, self._file, self.name, self._listed, self._usage, self.curve)

    def _answers(self, pixels: np.ndarray) -> list[np.ndarray]:
        if not self._one_by_one:
            return self._run(pixels)
        runs = [self._run(image[np.newaxis]) for image in pixels]
        return [np.concatenate(output) for output in zip(*runs, strict=True)]

    def _run(self, pixels: np.ndarray) -> list[np.ndarray]:
        answer = self._call(self._tf.constant(self._table[pixels]))
        return [np.asarray(output, np.float32) for output in self._tf.nest.flatten(answer)]


def _in_worker(*arguments: Any) -> TensorFlowClassifier:
    """Build it in a scoring process: one thread and no GPU, since there is one such process for each core."""
    with quiet():
        tf = import_quietly("tensorflow")
    with suppress(RuntimeError):  # TensorFlow is in use already: this is no process of its own
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.set_visible_devices([], "GPU")
    return TensorFlowClassifier(*arguments)


Opened = tuple[Callable[[Any], Any], Sequence[int | None], Any, bool]
"""How to call it, shape and dtype of its input, and whether it is known to take pixels as they are."""


def _open_keras(file: Path) -> Opened:
    if not zipfile.is_zipfile(file):
        raise ValueError("damaged or cut short")
    keras = import_quietly("keras")
    tf = import_quietly("tensorflow")
    model = keras.models.load_model(file, compile=False)  # its safe mode, the default, runs no code out of the file
    if len(model.inputs) != 1:
        raise ValueError(f"it takes {len(model.inputs)} inputs, expected one image")
    shape = tuple(model.inputs[0].shape)
    # Only the batch may vary: one graph then serves every batch.
    spec = tf.TensorSpec((shape[0], *shape[1:]), model.inputs[0].dtype)
    call = tf.function(lambda pixels: model(pixels, training=False), input_signature=[spec])
    return call, shape, model.inputs[0].dtype, any(type(layer).__name__ in SCALING for layer in _layers(model))


def _layers(model: Any) -> list[Any]:
    found = []
    for layer in model.layers:
        found += _layers(layer) if hasattr(layer, "layers") else [layer]
    return found


def _open_saved(folder: Path) -> Opened:
    hub = import_quietly("tensorflow_hub")
    loaded = hub.load(str(folder))
    signatures = getattr(loaded, "signatures", {})
    name = next((name for name in ("serving_default", "image_classification", "default") if name in signatures), None)
    if name is None:
        if not callable(loaded):
            raise ValueError(f"it has the signatures {', '.join(signatures) or 'none'}, expected serving_default")
        return loaded, (None, None, None, 3), "float32", False
    signature = signatures[name]
    inputs = signature.structured_input_signature[1]
    if len(inputs) != 1:
        raise ValueError(f"it takes {', '.join(inputs) or 'nothing'}, expected one image")
    ((key, spec),) = inputs.items()
    shape = tuple(spec.shape) if spec.shape.rank is not None else (None, None, None, None)

    def call(pixels: Any) -> Any:
        # The object goes with the function: without it TensorFlow drops the weights.
        return loaded.signatures[name](**{key: pixels})

    return call, shape, spec.dtype, False


def resolve(handle: str) -> Path:
    """The folder of the SavedModel at ``handle``, an address of TensorFlow Hub or Kaggle; downloaded on first use.

    Raises:
        ModelError: it cannot be had.
    """
    with quiet():
        hub = import_quietly("tensorflow_hub")
    cache = os.environ.setdefault("TFHUB_CACHE_DIR", str(cache_folder() / "hub"))
    # Where tensorflow_hub keeps it.
    if not (Path(cache) / hashlib.sha1(handle.encode()).hexdigest()).is_dir():
        sys.stderr.write(f"downloading {handle} (TensorFlow Hub does not say how large it is) to {cache}\n")
    try:
        with quiet():
            return Path(hub.resolve(handle))
    except Exception as error:
        raise ModelError(
            f"cannot download {handle} ({_first_line(error)}); to do without this download, unpack it by hand and"
            " give the folder that holds saved_model.pb"
        ) from None


def import_quietly(name: str) -> Any:
    """A module, without TensorFlow's greetings.

    Raises:
        ModelError: it cannot be imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return importlib.import_module(name)
    except ImportError as error:
        # tensorflow-hub 0.16 needs pkg_resources, which setuptools 82 no longer has.
        fix = "; pip install 'setuptools<82'" if error.name == "pkg_resources" else ""
        raise ModelError(f"{name} is needed for this model and cannot be imported ({error}){fix}") from None


def _hash(file: Path) -> str:
    """Of a file its sha256; of a folder that of the names and hashes of its files, sorted."""
    try:
        if file.is_dir():
            names = sorted(path.relative_to(file).as_posix() for path in file.rglob("*") if path.is_file())
            lines = "".join(f"{_hash(file / name)}  {name}\n" for name in names)
            return hashlib.sha256(lines.encode()).hexdigest()
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror}") from None


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
