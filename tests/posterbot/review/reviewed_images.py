"""A catalogue of images with scores and features, as a crawl with KEEP_DROPPED=review leaves it, and its reviewers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, insert

from posterbot.catalogue.model_folders import identity
from posterbot.catalogue.records import Model, Policy, now
from posterbot.catalogue.schema import (
    candidates,
    embeddings,
    images,
    models,
    pages,
    policies,
    runs,
    scores,
    sources,
    verdicts,
)
from posterbot.filters.relevance import judge

LABELS = ("poster", "photo", "logo")
MODEL = Model("web-images", "a" * 64, LABELS)
DIMENSIONS = 12


def sha256_of(number: int) -> str:
    return hashlib.sha256(f"image {number}".encode()).hexdigest()


def fake_model(folder: Path) -> Model:
    """A model folder whose network nobody loads."""
    folder.mkdir(parents=True)
    (folder / "net.tflite").write_bytes(b"weights")
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    (folder / "model.toml").write_text('file = "net.tflite"\nlabels = "labels.txt"\n')
    found = identity(folder)
    assert found is not None
    return Model(str(folder), found[0], LABELS)


def world(number: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, the old model's scores, and what the images are: it mistakes the stamps for posters."""
    chance = np.random.default_rng(seed)
    truth = chance.choice(["poster", "stamp", "photo", "logo"], number, p=[0.3, 0.2, 0.3, 0.2])
    centres = np.eye(4, DIMENSIONS) * 4
    kinds = np.searchsorted(["logo", "photo", "poster", "stamp"], truth)
    features = (centres[kinds] + chance.normal(0, 1, (number, DIMENSIONS))).astype(np.float32)
    weights = np.zeros((DIMENSIONS, 3))
    weights[[2, 3], 0], weights[1, 1], weights[0, 2] = 1, 1, 1
    logits = features @ weights
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return features, (odds / odds.sum(1, keepdims=True)).astype(np.float32), truth


def fill(
    engine: Engine,
    table: np.ndarray,
    *,
    policy: Policy | None = None,
    features: np.ndarray | None = None,
    hosts: Sequence[str] = ("a.example",),
    stored: bool = True,
    days: Sequence[Any] = (),
) -> Policy:
    """Images numbered from 1, with these scores, judged by a policy; image n lies on host n modulo their number."""
    policy = policy or Policy(("poster",), 0.5, MODEL, "anna", "arguments")
    at = now()
    numbers = range(1, len(table) + 1)
    texts = dict.fromkeys(("alt", "title", "caption", "content_type", "etag", "last_modified"), "")
    page = {"title": "", "referrer": "", "depth": 0, "data_uris": 0, "fetched_at": at}
    found = [judge(row, policy) for row in table]
    with engine.begin() as connection:
        run = {"spider": "posters", "arguments": {}, "version": "1", "started_at": at, "job": "job", "stopping": False}
        connection.execute(insert(runs).values(**run))
        model = policy.model
        connection.execute(insert(models).values(name=model.name, hash=model.hash, labels=list(model.labels)))
        rule = {"labels": list(policy.labels), "threshold": policy.threshold, "author": "anna", "origin": "arguments"}
        connection.execute(insert(policies).values(run_id=1, model_id=1, at=at, **rule))
        connection.execute(insert(sources), [{"id": n, "name": host} for n, host in enumerate(hosts, 1)])
        connection.execute(insert(pages).values(id=1, run_id=1, source_id=1, url="https://a.example/", **page))
        size = {"bytes": 9, "format": "JPEG", "width": 600, "height": 900}
        connection.execute(
            insert(images),
            [
                {
                    "id": n,
                    "sha256": sha256_of(n),
                    "path": f"{sha256_of(n)}.jpg" if stored and verdict.keep else None,
                    "dropped_path": f"dropped/{sha256_of(n)}.jpg" if stored and not verdict.keep else None,
                    "first_seen_at": days[n % len(days)] if days else at,
                    **size,
                }
                for n, verdict in zip(numbers, found, strict=True)
            ],
        )
        key = {"model_id": 1}
        connection.execute(
            insert(scores), [{"image_id": n, "vector": row, **key} for n, row in zip(numbers, table, strict=True)]
        )
        if features is not None:
            rows = [{"image_id": n, "vector": row, **key} for n, row in zip(numbers, features, strict=True)]
            connection.execute(insert(embeddings), rows)
        connection.execute(
            insert(verdicts),
            [
                {
                    "image_id": n,
                    "policy_id": 1,
                    "keep": verdict.keep,
                    "reason": str(verdict.reason),
                    "label": verdict.label,
                    "score": verdict.score,
                }
                for n, verdict in zip(numbers, found, strict=True)
            ],
        )
        connection.execute(
            insert(candidates),
            [
                {
                    "page_id": 1,
                    "image_id": n,
                    "source_id": 1 + n % len(hosts),
                    "url": f"https://a.example/{n}.jpg",
                    "found_by": "img",
                    "alternatives": [],
                    "final_url": "",
                    "fetched_at": at,
                    **texts,
                }
                for n in numbers
            ],
        )
    return policy
