"""Records for the tests of this folder."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from posterbot.catalogue.records import Image, Model, Outcome, Page, Policy

LABELS = ("poster", "photo", "logo")
MODEL = Model("web-images", "a" * 64, LABELS)


def policy(*labels: str, threshold: float = 0.5) -> Policy:
    return Policy(labels or ("poster",), threshold, MODEL, "anna", "arguments")


POLICY = policy()


def page(number: int = 0, **facts: Any) -> Page:
    return Page(f"https://site.example/film/{number}", 200, "A film", **facts)


def image(name: object, **facts: Any) -> Image:
    sha256 = hashlib.sha256(str(name).encode()).hexdigest()
    return Image(**{"sha256": sha256, "bytes": 1000, "format": "JPEG", "width": 600, "height": 900} | facts)


def judged(name: object, on: Page, keep: bool = True, **facts: Any) -> Outcome:
    """An outcome with a picture, scores and a verdict."""
    given: dict[str, Any] = {
        "image": image(name),
        "http_status": 200,
        "scores": np.array([0.9, 0.06, 0.04] if keep else [0.1, 0.6, 0.3], "<f4"),
        "policy": POLICY,
        "keep": keep,
        "verdict_reason": "relevant" if keep else "not_relevant",
        "label": "poster" if keep else "photo",
        "score": 0.9 if keep else 0.1,
    }
    return Outcome(on, f"https://images.example/{name}.jpg", "img", **given | facts)


def failed(name: object, on: Page, reason: str = "http_404", **facts: Any) -> Outcome:
    """An outcome without a picture."""
    return Outcome(on, f"https://images.example/{name}.jpg", "img", reason=reason, **facts)
