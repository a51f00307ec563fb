"""How many images a second one core scores, beside Keras' ``model.predict`` one by one, interleaved in one run.

    python benchmarks/classifier_speed.py [--rounds 5] [--model web-images] [--json FILE]

Measured are: the shipped model on decoded pixels; the same from the bytes of 1000×1500 JPEGs of quality 85 and 50
(decoding at reduced scale, letterboxing and hashing included, as a crawl does it); a Keras network of the same
architecture and input, called with ``predict`` for one image at a time, as home-made pipelines do. Everything is held
to one core.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import io
import os
import statistics
import time
from collections.abc import Callable
from functools import partial

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before any library counts the cores

import numpy as np
from comparison import Comparison, compared, parse, write
from PIL import Image

from models.analysis import analyse
from models.registry import load_model

SECONDS = 2.0
"""For each turn."""


def rate(work: Callable[[], object], images: int) -> float:
    """Images a second of ``work``, which handles so many at a call."""
    done, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < SECONDS:
        work()
        done += images
    return done / elapsed


def photograph(width: int, height: int, quality: int) -> bytes:
    """A JPEG with the detail of a photograph: noise at several scales."""
    chance = np.random.default_rng(0)
    layers = [
        Image.fromarray(chance.integers(0, 256, (height // scale, width // scale, 3), np.uint8)).resize((width, height))
        for scale in (4, 16, 64, 250)
    ]
    image = np.mean([np.asarray(layer, np.float32) for layer in layers], axis=0)
    buffer = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="web-images")
    given = parse(parser, rounds=1)

    from models.training.backbone import build

    model = load_model(given.model)
    keras_model = build(len(model.labels))
    pixels = np.random.default_rng(1).integers(0, 256, (64, model.side, model.side, 3), np.uint8)
    jpegs = {quality: [photograph(1000, 1500, quality)] * 8 for quality in (85, 50)}
    turns: dict[str, tuple[Callable[[], object], int]] = {
        "pixels": (lambda: model.predict(pixels), len(pixels)),
        **{
            f"JPEG 1000×1500, {len(files[0]) >> 10} kB": (partial(analyse, files, model), len(files))
            for files in jpegs.values()
        },
        "Keras predict, one by one": (lambda: keras_model.predict(pixels[:1], verbose=0), 1),
    }
    for work, _ in turns.values():
        work()
    rates: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(given.rounds):
        for name, (work, images) in turns.items():
            rates[name].append(rate(work, images))
    print(f"{given.model}, {model.side} px, one core, median of {given.rounds} rounds")
    print("| from | images/s | rounds | × Keras predict |\n|---|---|---|---|")
    base = statistics.median(rates["Keras predict, one by one"])
    for name, values in rates.items():
        rounds = ", ".join(f"{value:.0f}" for value in values)
        print(f"| {name} | {statistics.median(values):.0f} | {rounds} | {statistics.median(values) / base:.1f} |")
    pixels_rates, *jpeg_rates, keras_rates = rates.values()
    lines = {
        f"JPEG of quality {quality}": Comparison("images/s", one)
        for quality, one in zip(jpegs, jpeg_rates, strict=True)
    }
    lines["pixels"] = Comparison("images/s", pixels_rates)
    lines["pixels beside Keras"] = compared("images/s", pixels_rates, keras_rates)
    write(given.json, lines)


if __name__ == "__main__":
    main()
