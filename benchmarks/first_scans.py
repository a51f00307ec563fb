"""Could a progressive JPEG be judged by its first scans, and the rest of it be left where it is?

    python benchmarks/first_scans.py FOLDER [--images 300] [--threshold 0.5] [--model web-images]

What came out, on one core, for 5,000 pictures of about 10 kB and for 247 untouched ones of about 22 kB: with 20 % of
its bytes a picture has its final verdict in 96 and 98 % of the cases. A bound fitted on half of the posters lost 0.1 %
of the other half (0.3 % with 10 % of the bytes, 0.7 % with 40 %), and would stop 83 and 91 % of all that is no poster,
so 41 and 61 % of the bytes would not come. It takes 2.8 and 3.9 ms of CPU each, as much again as the whole verdict.

But to stop costs the connection. Where more than that is worth must be still to come, nothing is left to save of the
small ones and 44 % of the bytes of the others; and only progressive files have scans: 56 of the 166 untouched JPEGs,
27 % of their bytes. So it pays for large ones on a line that is slower than the processor (3.9 ms are 24 kB at
50 Mbit/s), about a tenth of all bytes. It is not built in.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import io
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before any library counts the cores

import numpy as np
from PIL import Image, ImageFile

from models.analysis import Analysis, analyse
from models.classifier import Classifier
from models.registry import load_model
from posterbot.pipelines.early_stop import BREAK_EVEN

SHARES = (0.1, 0.2, 0.4, 1.0)
LOSS = 0.005
"""Share of the posters that may be lost."""
BATCH = 8


@dataclass
class Scored:
    """Probabilities that pictures are posters, and what they cost: NaN where nothing could be decoded."""

    scores: np.ndarray
    milliseconds: float


def progressive(path: Path) -> bytes | None:
    """The picture re-encoded in its own size, quality 85; None: it cannot be read."""
    try:
        with Image.open(path) as image:
            buffer = io.BytesIO()
            image.convert("RGB").save(buffer, "JPEG", progressive=True, quality=85)
    except OSError:
        return None
    return buffer.getvalue()


def score(files: list[bytes], model: Classifier) -> Scored:
    """As a crawl does it, in batches."""
    poster, scores = model.labels.index("poster"), []
    started = time.process_time()
    for at in range(0, len(files), BATCH):
        for answer in analyse(files[at : at + BATCH], model):
            usable = isinstance(answer, Analysis) and answer.scores is not None
            scores.append(float(answer.scores[poster]) if usable else np.nan)
    return Scored(np.array(scores), (time.process_time() - started) * 1000 / len(files))


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="pictures, in folders of any depth")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--model", default="web-images")
    options = parser.parse_args()
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    model = load_model(options.model)
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in {".jpg", ".png", ".webp"})
    chosen = random.Random(0).sample(paths, min(options.images, len(paths)))
    files = [data for data in map(progressive, chosen) if data is not None]
    sizes = np.array([len(data) for data in files])
    score(files[:BATCH], model)
    results = {share: score([data[: int(len(data) * share)] for data in files], model) for share in SHARES}
    kept = results[1.0].scores >= options.threshold
    print(f"{len(files)} pictures, {kept.sum()} of them posters, {np.median(sizes) / 1000:.0f} kB in the middle")
    print("share  same verdict  sure below  others stopped  posters lost  bytes saved  where it pays  CPU")
    for share in SHARES[:-1]:
        partial = results[share]
        readable = ~np.isnan(partial.scores)
        same = (partial.scores >= options.threshold) == kept
        # The highest bound that loses no more than allowed of one half of the posters; the loss is that of the other.
        half = kept & (np.arange(len(files)) % 2 == 0)
        of_posters = np.sort(partial.scores[half & readable])
        bound = min(of_posters[int(LOSS * len(of_posters))], options.threshold) if len(of_posters) else 0.0
        stopped = readable & (partial.scores < bound)
        left = np.where(stopped, sizes * (1 - share), 0)
        print(
            f"{share:4.0%} {same[readable].mean():12.1%} {bound:11.4f} {stopped[~kept].mean():14.1%}"
            f" {stopped[kept & ~half].mean():13.2%} {left.sum() / sizes.sum():12.1%}"
            f" {left[left > BREAK_EVEN].sum() / sizes.sum():13.1%} {partial.milliseconds:7.1f} ms"
        )


if __name__ == "__main__":
    main()
