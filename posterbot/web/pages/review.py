"""Reviews: one image after the other, large, with one question."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from posterbot.catalogue.display import printable
from posterbot.catalogue.to_review import Asked, asked_about, other_labels, progress, verdict_of
from posterbot.review.answers import AUDIT, DUPLICATES, UNSURE, ReviewError, record
from posterbot.review.picking import Pick, next_images
from posterbot.web.site import PageError, Site, form, text_of

AT_ONCE = 6
"""Images that are sent at once: the next ones are loaded while one is looked at."""
MOST_EXCLUDED = 50
WHY = {
    AUDIT: "Drawn at random: such answers measure how good the filter is.",
    UNSURE: "The model is unsure about it: such answers teach it most.",
    DUPLICATES: "A copy of it was judged the other way.",
}
"""Neither tells what the model thinks: who knows is led by it."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def routes(site: Site) -> list[BaseRoute]:
    """``/review``, and what its script asks for and sends."""

    def review(request: Request) -> Response:
        wanted, others = other_labels(site.engine)
        return site.page(
            request, "review.html", wanted=wanted, others=others, progress=progress(site.engine), question=ask(wanted)
        )

    def next_ones(request: Request) -> Response:
        given = request.query_params
        seed = given.get("seed", "0")
        if not (seed.isascii() and seed.isdecimal() and len(seed) < 10):
            raise PageError(400, "A seed is a number.")
        without = [text for text in given.get("exclude", "").split(",") if text]
        if len(without) > MOST_EXCLUDED or not all(_SHA256.fullmatch(text) for text in without):
            raise PageError(400, f"Exclude at most {MOST_EXCLUDED} images, by their SHA-256.")
        picks = next_images(site.engine, AT_ONCE, exclude=without, seed=int(seed))
        known = asked_about(site.engine, [pick.sha256 for pick in picks])
        return JSONResponse({"images": [_told(pick, known[pick.sha256]) for pick in picks if pick.sha256 in known]})

    def answer(request: Request) -> Response:
        fields = form(request)
        sha256 = text_of(fields, "sha256") or ""
        try:
            number = record(
                site.engine,
                sha256,
                text_of(fields, "answer") or "",
                label=text_of(fields, "label"),
                picked=text_of(fields, "picked") or "",
                stratum=text_of(fields, "stratum"),
                reviewer=site.reviewer,
            )
        except LookupError:
            raise PageError(404, "This image is not in the catalogue any more; nothing was recorded.") from None
        except ReviewError as error:
            text = str(error)
            raise PageError(400, f"{text[:1].upper()}{text[1:]}. Nothing was recorded.") from None
        thought, now = verdict_of(site.engine, sha256), progress(site.engine)
        return JSONResponse(
            {
                "review": number,
                "answers": now.answers,
                "audits": now.audits,
                "kept": thought and thought.kept,
                "score": thought and thought.score,
                "label": thought and thought.label and printable(thought.label),
            }
        )

    return [
        Route("/review", review, methods=["GET"]),
        Route("/review/next", next_ones),
        Route("/review/answers", answer, methods=["POST"]),
    ]


def ask(wanted: list[str] | tuple[str, ...]) -> str:
    """The question about an image, where these labels are wanted."""
    named = [label.replace("_", " ") for label in wanted]
    if not named:
        return "Is this wanted?"
    article = "an" if named[0][:1].lower() in "aeiou" else "a"
    return f"Is this {article} {' or '.join(named)}?"


def _told(pick: Pick, asked: Asked) -> dict[str, Any]:
    return {
        "sha256": pick.sha256,
        "picked": pick.picked,
        "stratum": pick.stratum,
        "why": WHY.get(pick.picked, ""),
        "question": printable(ask(asked.wanted)),
        "width": asked.width,
        "height": asked.height,
        "page": printable((asked.page_title or asked.page_url)[:120]),
        "alt": printable(asked.alt[:160]),
    }
