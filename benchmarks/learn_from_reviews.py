"""What a hundred reviews teach: average precision of a label before and after, on real images that nobody reviewed.

    python benchmarks/learn_from_reviews.py [--data DIR] [--seeds 3] [--reviews 100] [--json FILE] [LABEL …]

The network is the one that the card of web-images is about (``models/weights/web-images/measured``), which has seen no
image of the sources used here. Half of their images are "crawled": a catalogue has their scores and features, and the
policy looks for LABEL. A reviewer who knows the truth answers what ``posterbot.review.picking`` shows, ten at a time,
and ``posterbot.review.learn`` learns from it. Measured is on the other half, which nobody reviewed. ``receipt`` is a
label that the model does not have: the reviewer gives it as a word of his own while he looks for documents. *Before* is
then how well the old model's label ``document`` ranks them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from comparison import Comparison, parse, write
from sqlalchemy import Engine, insert

from models.analysis import Analysis, analyse
from models.ranking import average_precision
from models.registry import load_model
from models.training.dataset import read_samples, split_by_source
from posterbot.catalogue.database import open_catalogue
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
from posterbot.review.answers import record
from posterbot.review.learn import Learned, learn
from posterbot.review.picking import next_images

MEASURED = Path("models/weights/web-images/measured")
RECEIPT, RECEIPTS = "receipt", "zzzDavid+ICDAR-2019-SROIE"
LABELS = ("album_cover", "game_box", "meme", RECEIPT)
ROUNDS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """All images, as the network sees them."""

    labels: np.ndarray
    sources: np.ndarray
    features: np.ndarray
    scores: np.ndarray
    facts: list[Analysis]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", nargs="*", default=LABELS)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("POSTERBOT_REAL_DATA", "../shared")) / "images"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--reviews", type=int, default=100)
    given = parse(parser, seeds=1, reviews=60, labels=LABELS[:1])
    began = time.perf_counter()
    model = load_model(str(MEASURED))
    identity = Model(str(MEASURED), model.hash, tuple(model.labels))
    seen = _look(given.data)
    print(f"{len(seen.labels):,} images of {len(set(seen.sources))} sources that the network never saw")
    print("| label | seed | of it in the reviews | AP before | AP after | gain, 95 % interval | applied |")
    print("|---|---|---|---|---|---|---|")
    lines = {}
    for label in given.labels:
        gains = [_round(seen, identity, label, seed, given.reviews) for seed in range(given.seeds)]
        print(f"| **{label}** | mean | | | | **{np.mean(gains):+.3f}** ({min(gains):+.3f} to {max(gains):+.3f}) | |")
        lines[label] = Comparison("", gains)
    write(given.json, lines)
    print(f"{time.perf_counter() - began:.0f} s in all")


def _look(data: Path) -> Seen:
    model = load_model(str(MEASURED))
    _, samples = split_by_source(read_samples(data))
    labels, sources_, facts = [], [], []
    for start in range(0, len(samples), 32):
        some = samples[start : start + 32]
        for sample, found in zip(some, analyse([one.path.read_bytes() for one in some], model), strict=True):
            if isinstance(found, Analysis) and found.scores is not None:
                labels.append(RECEIPT if sample.source == RECEIPTS else sample.label)
                sources_.append(sample.source)
                facts.append(found)
    features = np.stack([one.embedding for one in facts if one.embedding is not None]).astype(np.float32)
    table = np.stack([one.scores for one in facts if one.scores is not None])
    return Seen(np.array(labels), np.array(sources_), features, table, facts)


def _round(seen: Seen, model: Model, label: str, seed: int, reviews: int) -> float:
    chance = np.random.default_rng(seed)
    crawled = chance.random(len(seen.labels)) < 0.5
    rest = ~crawled
    wanted = "document" if label == RECEIPT else label
    with tempfile.TemporaryDirectory() as folder:
        engine = open_catalogue(f"sqlite:///{folder}/catalogue.db")
        policy = Policy((wanted,), 0.5, model, "benchmark", "arguments")
        names = _fill(engine, seen, np.flatnonzero(crawled), policy)
        said = _review(engine, names, seen, wanted, seed, reviews)
        learned = learn(engine, label=label)
        engine.dispose()
    before = seen.scores[rest, model.labels.index(wanted)]
    after = learned.head.probabilities(seen.features[rest])[:, learned.labels.index(label)]
    right = seen.labels[rest] == label
    low, high = _interval(before, after, right, chance)
    old, new = average_precision(before, right), average_precision(after, right)
    print(
        f"| {label} | {seed} | {said} of {reviews} | {old:.3f} | {new:.3f} | {new - old:+.3f} "
        f"({low:+.3f} to {high:+.3f}) | {_verdict(learned)} |",
        flush=True,
    )
    return new - old


def _verdict(learned: Learned) -> str:
    return "yes" if learned.refused is None else "refused"


def _interval(
    before: np.ndarray, after: np.ndarray, right: np.ndarray, chance: np.random.Generator
) -> tuple[float, float]:
    gains = []
    for _ in range(ROUNDS):
        drawn = chance.integers(0, len(right), len(right))
        gains.append(average_precision(after[drawn], right[drawn]) - average_precision(before[drawn], right[drawn]))
    low, high = np.percentile(gains, (2.5, 97.5))
    return float(low), float(high)


def _fill(engine: Engine, seen: Seen, rows: Sequence[int], policy: Policy) -> dict[str, int]:
    """A catalogue as a crawl with KEEP_DROPPED=review leaves it; gives sha256 → row of ``seen``."""
    at = now()
    names: dict[str, int] = {}
    tables: dict[str, list[dict[str, object]]] = {name: [] for name in ("images", "scores", "embeddings", "verdicts")}
    of_hosts = {name: number for number, name in enumerate(sorted(set(seen.sources)), 1)}
    shown = []
    for row in rows:
        fact = seen.facts[row]
        if fact.sha256 in names:
            continue
        names[fact.sha256], number = int(row), len(names) + 1
        verdict = judge(seen.scores[row], policy)
        assert fact.header is not None
        path = f"{fact.sha256[:2]}/{fact.sha256[2:4]}/{fact.sha256}.jpg"
        tables["images"].append(
            {
                "id": number,
                "sha256": fact.sha256,
                "bytes": 1,
                "format": fact.header.format,
                "width": fact.header.width,
                "height": fact.header.height,
                "phash": fact.phash,
                "path": path if verdict.keep else None,
                "dropped_path": None if verdict.keep else f"dropped/{path}",
                "first_seen_at": at,
            }
        )
        key = {"image_id": number}
        tables["scores"].append({**key, "model_id": 1, "vector": seen.scores[row]})
        tables["embeddings"].append({**key, "model_id": 1, "vector": fact.embedding})
        facts = {"keep": verdict.keep, "reason": str(verdict.reason), "label": verdict.label, "score": verdict.score}
        tables["verdicts"].append({**key, "policy_id": 1, **facts})
        shown.append((number, of_hosts[seen.sources[row]], fact.sha256))
    with engine.begin() as connection:
        connection.execute(
            insert(runs).values(id=1, spider="posters", arguments={}, version="1", started_at=at, stopping=False)
        )
        connection.execute(
            insert(models).values(
                id=1, name=policy.model.name, hash=policy.model.hash, labels=list(policy.model.labels)
            )
        )
        connection.execute(
            insert(policies).values(
                id=1,
                run_id=1,
                model_id=1,
                labels=list(policy.labels),
                threshold=0.5,
                author="",
                origin="arguments",
                at=at,
            )
        )
        for host, number in of_hosts.items():
            connection.execute(insert(sources).values(id=number, name=host))
        page = {"run_id": 1, "status": 200, "title": "", "referrer": "", "depth": 0, "data_uris": 0, "fetched_at": at}
        connection.execute(insert(pages).values(id=1, source_id=1, url="https://example.org/", **page))
        for table in (images, scores, embeddings, verdicts):
            connection.execute(insert(table), tables[table.name])
        texts = dict.fromkeys(("alt", "title", "caption", "content_type", "etag", "last_modified"), "")
        connection.execute(
            insert(candidates),
            [
                {
                    "page_id": 1,
                    "image_id": number,
                    "source_id": host,
                    "url": sha256,
                    "found_by": "img",
                    "alternatives": [],
                    "final_url": sha256,
                    "fetched_at": at,
                    **texts,
                }
                for number, host, sha256 in shown
            ],
        )
    return names


def _review(engine: Engine, names: dict[str, int], seen: Seen, wanted: str, seed: int, reviews: int) -> int:
    """Answer what is shown; how many of them were the label?"""
    done = right = 0
    while done < reviews:
        for pick in next_images(engine, min(10, reviews - done), seed=1000 * seed + done):
            label = str(seen.labels[names[pick.sha256]])
            answer, own = ("label", label) if label == RECEIPT else ("yes" if label == wanted else "no", None)
            record(
                engine, pick.sha256, answer, label=own, picked=pick.picked, stratum=pick.stratum, reviewer="benchmark"
            )
            right += own is not None or answer == "yes"
            done += 1
    return right


if __name__ == "__main__":
    main()
