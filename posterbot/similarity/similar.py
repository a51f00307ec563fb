"""What looks like a picture: from a file, or from the name of an image in the catalogue, to its nearest neighbours."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, and_, func, select

from models.analysis import ScoreError, analyse
from models.classifier import Classifier, ModelError
from models.registry import load_model
from posterbot.catalogue.schema import candidates, images, sources, verdicts
from posterbot.catalogue.schema_films import films, image_films
from posterbot.similarity.index import EmbeddingModel, Index, Near, NoEmbeddingsError, Told, embedding_models, silent

SHORTEST = 8
"""Digits by which an image or a model may be named."""
LARGEST_FILE = 100_000_000
"""Bytes; a picture that is larger is not read."""
_HEX = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}")
_AT_ONCE = 500


class SimilarError(LookupError):
    """The question cannot be answered; ``str()`` is one line: what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue knows of an image. None: nothing."""

    sha256: str
    verdict: str | None
    """``kept`` or ``dropped``, by the newest policy that judged it."""
    title: str | None
    """Of the film of highest confidence."""
    year: int | None
    host: str | None
    """These three are of its first sighting; a kept one where there is one."""
    url: str | None
    alt: str | None
    width: int
    height: int
    path: str | None
    """In the store: of the original, or of what was kept of a dropped one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One neighbour."""

    rank: int
    """From 1."""
    similarity: float
    """Cosine of the embeddings, at most 1."""
    image: Known


@dataclass(frozen=True, slots=True)
class Answers:
    """Neighbours, best first, and what they are neighbours of."""

    sha256: str
    known: Known | None
    """What the catalogue knows of the picture itself; None where it has never seen these bytes."""
    data: bytes | None
    """Of the file; None where an image of the catalogue was named."""
    model: str
    images: int
    """That were looked through."""
    nearest: tuple[Answer, ...]


def similar(
    engine: Engine,
    asked: str,
    number: int,
    file: Path,
    model: str | None = None,
    told: Told = silent,
    say: Callable[[str], None] = lambda _: None,
) -> Answers:
    """The ``number`` images of the catalogue that look most like ``asked``; itself is left out.

    Args:
        engine: from ``open_catalogue``.
        asked: a file, or the sha256 of an image in the catalogue, or at least its first eight digits.
        number: at most so many.
        file: of the index, see :class:`posterbot.similarity.index.Index`; ``told`` and ``say`` are its.
        model: whose embeddings are compared: its name, its hash, or what ``load_model`` takes. None: that of the
            newest policy, or where there are none of it, the one with most embeddings.

    Raises:
        SimilarError: no such file, image or model, a picture that cannot be read, or no embeddings.
        ForeignError: ``file`` is something else.
        OSError: the index cannot be written.
    """
    chosen = _model(engine, model)
    picture = None
    if Path(asked).is_file():
        picture, sha256, embedding = _embedded(Path(asked), chosen, model)
    else:
        sha256 = _named(engine, asked)
    try:
        index = Index(engine, chosen, file, told, say)
    except NoEmbeddingsError as error:
        raise SimilarError(str(error)) from None
    if picture is None:
        found = index.of(sha256)
        if found is None:
            raise SimilarError(f"image {sha256} has no embedding of model {chosen.name}: give its file instead")
        embedding = found
    near = index.nearest(embedding, number, besides=sha256)
    known = known_images(engine, [sha256, *(each.sha256 for each in near)])
    return Answers(sha256, known.get(sha256), picture, chosen.name, index.images, tuple(_answers(near, known)))


def known_images(engine: Engine, sha256s: Sequence[str]) -> dict[str, Known]:
    """What the catalogue knows of these images, by their sha256; those it does not know are left out."""
    found: dict[str, Known] = {}
    for start in range(0, len(sha256s), _AT_ONCE):
        found |= _known(engine, sha256s[start : start + _AT_ONCE])
    return found


def _known(engine: Engine, sha256s: Sequence[str]) -> dict[str, Known]:
    judged = verdicts.alias()
    newest = select(func.max(judged.c.policy_id)).where(judged.c.image_id == images.c.id).scalar_subquery()
    seen, others = candidates.alias("seen"), candidates.alias("others")
    # A sighting without a reason is one that was kept, where the verdict is to keep.
    first = (
        select(others.c.id)
        .where(others.c.image_id == images.c.id)
        .order_by(others.c.reason.is_not(None), others.c.id)
        .limit(1)
        .scalar_subquery()
    )
    shown, named = image_films.alias(), films.alias()
    film = (
        select(shown.c.film_id)
        .where(shown.c.image_id == images.c.id)
        .order_by(shown.c.confidence.desc(), shown.c.film_id)
        .limit(1)
        .scalar_subquery()
    )
    asked = (
        select(
            images.c.sha256,
            verdicts.c.keep,
            named.c.title,
            named.c.year,
            sources.c.name,
            seen.c.url,
            seen.c.alt,
            images.c.width,
            images.c.height,
            func.coalesce(images.c.path, images.c.dropped_path).label("path"),
        )
        .select_from(images)
        .outerjoin(verdicts, and_(verdicts.c.image_id == images.c.id, verdicts.c.policy_id == newest))
        .outerjoin(seen, seen.c.id == first)
        .outerjoin(sources, sources.c.id == seen.c.source_id)
        .outerjoin(named, named.c.id == film)
        .where(images.c.sha256.in_(sha256s))
    )
    with engine.connect() as connection:
        return {
            row.sha256: Known(
                row.sha256,
                None if row.keep is None else "kept" if row.keep else "dropped",
                *(row.title, row.year, row.name, row.url, row.alt or None, row.width, row.height, row.path),
            )
            for row in connection.execute(asked)
        }


def _answers(near: Sequence[Near], known: dict[str, Known]) -> list[Answer]:
    """Those that the catalogue still knows: an image may be forgotten at any moment."""
    there = [each for each in near if each.sha256 in known]
    return [Answer(rank, each.similarity, known[each.sha256]) for rank, each in enumerate(there, 1)]


def _model(engine: Engine, wanted: str | None) -> EmbeddingModel:
    there = embedding_models(engine)
    if not there:
        raise SimilarError(
            "no image in this catalogue has an embedding: crawl with a model that gives some, such as "
            "-a model=web-images (images that were seen before are looked at again)"
        )
    if wanted is None:
        return there[0]
    for model in there:
        if wanted == model.name or (_HEX.fullmatch(wanted) and model.hash.startswith(wanted)):
            return model
    try:
        wanted_hash = load_model(wanted).hash
    except ModelError as error:
        raise SimilarError(str(error)) from None
    for model in there:
        if model.hash == wanted_hash:
            return model
    names = ", ".join(f"{model.name} ({model.hash[:SHORTEST]})" for model in there)
    raise SimilarError(f"this catalogue has no embeddings of model {wanted}; it has those of {names}")


def _embedded(file: Path, chosen: EmbeddingModel, wanted: str | None) -> tuple[bytes, str, np.ndarray]:
    """Bytes, sha256 and embedding of the picture in ``file``."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise SimilarError(f"{file} is no picture that can be read: it has more than {LARGEST_FILE:,} bytes")
        data = file.read_bytes()
    except OSError as error:
        raise SimilarError(f"cannot read {file}: {error.strerror or error}") from None
    (looked,) = analyse([data], _loaded(chosen, wanted))
    if isinstance(looked, ScoreError):
        raise SimilarError(f"{file}: {looked}")
    if looked.problem is not None:
        raise SimilarError(f"{file} is no picture that can be read: {looked.detail or looked.problem}")
    if looked.embedding is None:
        raise SimilarError(f"model {chosen.name} gives no embedding of {file}")
    return data, looked.sha256, looked.embedding


def _loaded(chosen: EmbeddingModel, wanted: str | None) -> Classifier:
    """The network itself, which has to be the one that gave the catalogue's embeddings."""
    problem = ""
    for name in dict.fromkeys((chosen.name, wanted or chosen.name)):
        try:
            model = load_model(name)
        except ModelError as error:
            problem = str(error)
            continue
        if model.hash == chosen.hash:
            return model
        problem = f"the model {name} here is another ({model.hash[:SHORTEST]})"
    raise SimilarError(
        f"the catalogue's embeddings are of model {chosen.name} ({chosen.hash[:SHORTEST]}): {problem}; give "
        "that one with --model, or name an image of the catalogue by its sha256"
    )


def _named(engine: Engine, asked: str) -> str:
    """The sha256 of the image that ``asked`` means."""
    digits = asked.strip().lower()
    if not _HEX.fullmatch(digits):
        raise SimilarError(
            f"no file {asked}; give a picture, or the sha256 of an image in the catalogue, or its first "
            f"{SHORTEST} digits"
        )
    # A range, and not LIKE: for both databases a question to the index.
    inside = and_(images.c.sha256 >= digits, images.c.sha256 <= digits + "g")
    with engine.connect() as connection:
        found = list(connection.scalars(select(images.c.sha256).where(inside).order_by(images.c.sha256).limit(2)))
    if not found:
        raise SimilarError(f"no image in this catalogue has a sha256 that begins with {digits}")
    if len(found) > 1:
        raise SimilarError(f"several images have a sha256 that begins with {digits}; give more of it")
    return str(found[0])
