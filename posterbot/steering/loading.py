"""Models for a crawl that is running: loaded beside it, and tried where they will score, before they count."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from functools import cache
from io import BytesIO
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from models.analysis import ScoreError, any_size
from models.classifier import Classifier, ModelError
from models.decode import MAX_PIXELS
from models.registry import known_models, load_model
from models.worker import Worker
from posterbot.catalogue.model_folders import OWN
from posterbot.catalogue.records import Model
from posterbot.steering.labels import PolicyError

LONGEST = 1000
"""Characters of a name or path."""
Answer = TypeVar("Answer")


async def aside(call: Callable[..., Answer], *arguments: Any) -> Answer:
    """What ``call`` gives, made in a thread of its own that nobody waits for when the crawl ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Answer] = loop.create_future()

    def settle(method: Callable[[Any], None], value: Any) -> None:
        if not done.done():  # else nobody waits any more
            method(value)

    def run() -> None:
        method: Callable[[Any], None] = done.set_result
        try:
            value: Any = call(*arguments)
        except Exception as error:
            method, value = done.set_exception, error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, method, value)

    threading.Thread(target=run, name="loading", daemon=True).start()
    return await done


def load(name: str) -> Classifier:
    """The model called ``name``, by a name or path as for ``-a model=``. Takes seconds.

    Raises:
        PolicyError: there is none, or it does not score a picture; one line.
    """
    model = _read(name)
    _try(model)
    return model


def find(wanted: Model, names: Iterable[str]) -> Classifier:
    """The very model that ``wanted`` is, by the first of ``names`` that leads to it. Takes seconds.

    Raises:
        PolicyError: none does.
    """
    why = "there is none of its name"
    for name in dict.fromkeys(names):
        try:
            model = _read(name)
        except PolicyError as error:
            why = str(error)
            continue
        if model.hash == wanted.hash:
            _try(model)
            return model
        why = f"{name} is another one here ({model.hash[:12]})"
    raise PolicyError(f"model {wanted.name} ({wanted.hash[:12]}) is not to be found on this machine: {why}")


def _read(name: str) -> Classifier:
    if not name.strip() or not name.isprintable() or len(name) > LONGEST:
        raise PolicyError(f"model {name[:100]!r}: give the name of a model, or its path")
    try:
        learned = OWN / name
        return load_model(str(learned) if name not in known_models() and (learned / "model.toml").is_file() else name)
    except ModelError as error:
        raise PolicyError(str(error)) from None
    except (OSError, ValueError) as error:
        raise PolicyError(f"model {name}: {error}".splitlines()[0]) from None


def _try(model: Classifier) -> None:
    """What loads here and fails in the scoring processes would cost every image that comes."""
    worker = Worker(any_size, MAX_PIXELS)
    try:
        (answer,) = worker.analyse([_picture()], model)
    except ScoreError as error:
        raise PolicyError(f"model {model.name} cannot be used: {error}") from None
    finally:
        worker.close()
    if isinstance(answer, ScoreError):
        raise PolicyError(f"model {model.name} cannot be used: {answer}")
    if answer.scores is None or answer.scores.shape != (len(model.labels),):
        raise PolicyError(f"model {model.name} cannot be used: it does not give one score for each label")


@cache
def _picture() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    file = BytesIO()
    Image.fromarray(pixels, "RGB").save(file, "PNG")
    return file.getvalue()
