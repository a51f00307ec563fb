"""All that the bytes of an image say: hash, header, perceptual hash, scores. Pure functions, no threads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.classifier import Classifier
from models.decode import MAX_PIXELS, Header, ImageError, ImageProblem, Picture
from models.fitting import fit_square, longer_side
from models.phash import phash
from models.quality import Quality, measure


class ScoreError(RuntimeError):
    """A readable image could not be scored: the network failed, its process died, or the scorer was closed."""


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Fields stay None from the step on that failed or was not wanted."""

    sha256: str
    header: Header | None = None
    problem: ImageProblem | None = None
    detail: str = ""
    phash: str | None = None
    """See :func:`models.phash.phash`."""
    scores: np.ndarray | None = None
    """float32, one probability per label of the model."""
    model: str | None = None
    """``hash`` of the model that gave the scores."""
    quality: Quality | None = None
    embedding: np.ndarray | None = None
    """float16 (dimensions,): how the model sees it, for finding what is like it; None where the model gives none."""


def any_size(_: Header) -> bool:
    """The default for ``wanted``: every picture is decoded and scored."""
    return True


def analyse(
    images: Sequence[bytes],
    model: Classifier,
    wanted: Callable[[Header], bool] = any_size,
    max_pixels: int = MAX_PIXELS,
) -> list[Analysis | ScoreError]:
    """Look at a batch of files, whatever they hold; one answer each, in order.

    Args:
        images: the bytes of each file.
        model: scores what could be decoded.
        wanted: asked with the header before pixels are decoded; where it says no, only sha256 and header are given.
        max_pixels: pictures with more are refused unread.
    """
    answers: list[Analysis | ScoreError] = []
    pixels: list[np.ndarray] = []
    places: list[int] = []
    for data in images:
        answer = Analysis(hashlib.sha256(data).hexdigest())
        try:
            picture = Picture(data)
            answer = replace(answer, header=picture.header)
            if wanted(picture.header):
                longer = longer_side(model.fit, model.side, picture.header.width, picture.header.height)
                image = picture.rgb(longer, max_pixels)
                answer = replace(answer, phash=phash(image), quality=measure(image))
                pixels.append(fit_square(image, model.side, model.fit))
                places.append(len(answers))
        except ImageError as error:
            answer = replace(answer, problem=error.problem, detail=str(error))
        answers.append(answer)
    if pixels:
        scores, embeddings = model.look(np.stack(pixels))
        for number, (place, vector) in enumerate(zip(places, scores, strict=True)):
            answer = answers[place]  # type: ignore[assignment]
            if not np.isfinite(vector).all():
                answers[place] = ScoreError("the network answered NaN")
                continue
            embedding = None if embeddings is None else _half(embeddings[number])
            answers[place] = replace(answer, scores=vector, model=model.hash, embedding=embedding)
    return answers


def _half(embedding: np.ndarray) -> np.ndarray | None:
    """As float16, which has room for what networks answer; what it has not is cut. NaN: None."""
    largest = np.finfo(np.float16).max
    return None if np.isnan(embedding).any() else np.clip(embedding, -largest, largest).astype(np.float16)
