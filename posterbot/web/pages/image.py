"""One image: the picture, what was thought of it and why, where it was seen, and what is like it."""

from __future__ import annotations

import threading
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.decode import ImageError
from models.decode import read_header as header_of
from posterbot.catalogue.answers import PolicyRow
from posterbot.catalogue.one_image import OneImage, Verdict, one_image, original_path, picture_path
from posterbot.catalogue.terms import effective_terms
from posterbot.films.evidence import ADDRESS, HEADING, LIST, MARKUP, NAMED, PAGE, TABLE, WORDS
from posterbot.reasons import Reason
from posterbot.review.answers import ASKED, ReviewError, record
from posterbot.stores.store import NotStoredError, StoreError, UnavailableError
from posterbot.thumbnail import SIDE
from posterbot.web.site import PageError, Site, form, sha256_in, text_of
from posterbot.web.thumbnails import LARGE

WHY = {
    Reason.RELEVANT: "It is wanted.",
    Reason.NOT_RELEVANT: "The wanted labels came to too little.",
    Reason.BLURRED: "Wanted by its scores, but too blurred to be of use.",
    Reason.FLAT: "Wanted by its scores, but hardly anything is in it.",
    Reason.PLACEHOLDER: "Wanted by its scores, but the same picture stands for many films.",
    Reason.TOO_SMALL: "It is smaller than IMAGES_MIN_WIDTH × IMAGES_MIN_HEIGHT.",
    Reason.EXTREME_ASPECT: "Far too wide or too tall for what is wanted.",
    Reason.TOO_MANY_PIXELS: "Its header says more than IMAGES_MAX_PIXELS; nothing was decoded.",
    Reason.SCORE_FAILED: "It can be read, but the network or its process failed.",
    Reason.STORE_FAILED: "It was wanted, but the store refused the bytes.",
}
"""Reasons that an image can have that was looked at; docs/reasons.md has all."""
EVIDENCE = {
    TABLE: "an imported table names the image",
    LIST: "a list names the image as the film's",
    MARKUP: "the page's markup names this picture as the film's",
    ADDRESS: "the image's address holds the film's id",
    PAGE: "the page is of one film, and the words beside the picture name it",
    NAMED: "the words beside the picture name one of the page's films",
    WORDS: "the picture's own words name a title",
    HEADING: "the heading or the page's title names it",
}
FILM_PAGES = {
    "imdb": "https://www.imdb.com/title/{}/",
    "wikidata": "https://www.wikidata.org/wiki/{}",
}
SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""Of pictures: whatever the bytes may also be, nothing in them runs."""
NEIGHBOURS = 12
FRESH = 60.0
"""Seconds for which the index of embeddings is taken to be up to date."""
_EXTENSIONS = {"image/jpeg": "jpg", "image/x-icon": "ico", "image/tiff": "tif"}


def routes(site: Site) -> list[BaseRoute]:
    """``/image/…`` and the pictures."""
    neighbours = _Neighbours(site)

    def image(request: Request) -> Response:
        return _page(site, request, _known(site, sha256_in(request)))

    def answer(request: Request) -> Response:
        sha256, fields = sha256_in(request), form(request)
        given, label = text_of(fields, "answer") or "", text_of(fields, "label")
        try:
            record(
                site.engine,
                sha256,
                given,
                label=label if given == "label" else None,
                picked=ASKED,
                stratum=None,
                reviewer=site.reviewer,
            )
        except LookupError as error:
            raise PageError(404, f"{_sentence(error)} Nothing was recorded.") from None
        except ReviewError as error:
            return _page(site, request, _known(site, sha256), f"{_sentence(error)} Nothing was recorded.")
        return RedirectResponse(f"/image/{sha256}#review", 303)

    def similar(request: Request) -> Response:
        sha256 = sha256_in(request)
        found, trouble = neighbours.of(sha256)
        return site.page(request, "image_similar.html", found=found, trouble=trouble)

    def picture(request: Request, side: int) -> Response:
        path = _looked_up(picture_path, site, sha256_in(request))
        if path is None:
            raise PageError(404, "The bytes of this image were not kept.")
        try:
            data = site.thumbnails.get(path, side)
        except (LookupError, ImageError):
            raise PageError(404, "The picture is not in the store, or cannot be read.") from None
        except (UnavailableError, StoreError) as error:
            raise PageError(503, str(error)) from None
        return _picture(data, "image/jpeg", "private, max-age=600")

    def original(request: Request) -> Response:
        sha256 = sha256_in(request)
        path = _looked_up(original_path, site, sha256)
        if path is None or site.store is None:
            raise PageError(404, "The original of this image is not kept, or not here.")
        try:
            data = site.store.get(path)
            media_type = header_of(data).media_type
        except (NotStoredError, ImageError):
            raise PageError(404, "The original is not in the store, or is no picture that can be read.") from None
        except (UnavailableError, StoreError) as error:
            raise PageError(503, str(error)) from None
        extension = _EXTENSIONS.get(media_type, media_type.rpartition("/")[2])
        return _picture(data, media_type, "private, no-store", f'inline; filename="{sha256[:16]}.{extension}"')

    return [
        Route("/image/{sha256}", image),
        Route("/image/{sha256}/review", answer, methods=["POST"]),
        Route("/image/{sha256}/similar", similar),
        Route("/thumbnails/{sha256}.jpg", lambda request: picture(request, SIDE)),
        Route("/pictures/{sha256}.jpg", lambda request: picture(request, LARGE)),
        Route("/originals/{sha256}", original),
    ]


def explain(verdict: Verdict) -> str:
    """What a policy asked, and what it found: one sentence."""
    policy = verdict.policy
    rule = PolicyRow(0, 0, policy.labels, policy.threshold, "", "", "", policy.at, policy.top).rule
    asked = " and ".join(
        f"in the {part}" if part.startswith("top ") else f"at least {part}" for part in rule.split(", ")
    )
    wanted = " + ".join(policy.labels)
    found = "" if verdict.score is None else f"; it came to {verdict.score:.2f}"
    return f"Asked was {wanted} {asked}{found}."


def _page(site: Site, request: Request, one: OneImage, wrong: str | None = None) -> Response:
    terms_of = effective_terms(site.engine)
    hosts = list(dict.fromkeys(seen.host for seen in one.seen))
    verdict = one.verdicts[0] if one.verdicts else None
    code = (verdict.reason if verdict else None) or next((seen.reason for seen in one.seen if seen.reason), None)
    return site.page(
        request,
        "image.html",
        400 if wrong else 200,
        one=one,
        verdict=verdict,
        code=code,
        why=WHY.get(Reason(code)) if code in {reason.value for reason in Reason} else None,
        explain=explain,
        evidence=EVIDENCE,
        film_pages=FILM_PAGES,
        terms=[(host, terms_of(host)) for host in hosts],
        wrong=wrong,
    )


def _known(site: Site, sha256: str) -> OneImage:
    return _looked_up(one_image, site, sha256)  # type: ignore[no-any-return]


def _looked_up(question: Any, site: Site, sha256: str) -> Any:
    try:
        return question(site.engine, sha256)
    except LookupError as error:
        raise PageError(404, _sentence(error)) from None


def _sentence(error: Exception) -> str:
    text = str(error.args[0] if error.args else error)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _picture(data: bytes, media_type: str, keep: str, disposition: str | None = None) -> Response:
    headers = {"Content-Security-Policy": SANDBOX, "Cache-Control": keep}
    if disposition is not None:
        headers["Content-Disposition"] = disposition
    return Response(data, media_type=media_type, headers=headers)


class _Neighbours:
    """What looks like an image. The index is opened when it is first asked for, and then now and again."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._index: Any = None
        self._opened = -FRESH

    def of(self, sha256: str) -> tuple[list[Any], str | None]:
        """Neighbours, best first, and why there are none."""
        from posterbot.similarity.index import NoEmbeddingsError
        from posterbot.similarity.similar import known_images
        from posterbot.similarity.vectors import ForeignError

        try:
            with self._lock:
                index = self._opened_index()
                if index is None:
                    return [], "No image here has an embedding; a crawl with a model that gives some makes them."
                embedding = index.of(sha256)
                near = [] if embedding is None else index.nearest(embedding, NEIGHBOURS, besides=sha256)
        except (NoEmbeddingsError, ForeignError, OSError, ImportError) as error:
            return [], f"What is similar cannot be told: {error}."
        if embedding is None:
            return [], "This image has no embedding."
        known = known_images(self._site.engine, [one.sha256 for one in near])
        return [(one.similarity, known[one.sha256]) for one in near if one.sha256 in known], None

    def _opened_index(self) -> Any:
        from posterbot.similarity.index import Index, embedding_models, index_file

        if time.monotonic() - self._opened >= FRESH:
            there = embedding_models(self._site.engine)
            self._index = Index(self._site.engine, there[0], index_file(self._site.engine)) if there else None
            self._opened = time.monotonic()
        return self._index
