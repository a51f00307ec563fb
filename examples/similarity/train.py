"""Trains an embedding on an export of posterbot, and measures it against the network it began as, and against pixels.

    posterbot export --format parquet --size 192 --split 0.7/0.1/0.2 --pairs --out posters
    python examples/similarity/train.py posters --out trained

Writes ``embedder.keras``, ``figures.md`` and ``sheet.jpg``. README.md beside this file says what came out.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).parent))

import keras
import numpy as np
from dataset import Split, pixels, read_split
from fit import Rules, fit
from measure import Figures, colours, draw_sheet, measure, opened, table
from PIL import Image
from views import second_version

from models.analysis import Analysis, analyse
from models.registry import load_model

SHOWN = 8
"""Queries on the sheet."""


def main(export: Path, out: Path, rules: Rules, judged_on: str = "test") -> dict[str, Figures]:
    """Train on the split *train* of ``export``, measure on ``judged_on``, write all to ``out``; the figures by name."""
    started = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    train, held_out = read_split(export, "train"), read_split(export, judged_on)

    def told(epoch: int, loss: float) -> None:
        print(f"epoch {epoch:>2} of {rules.epochs}  loss {loss:.3f}  {time.monotonic() - started:4.0f} s", flush=True)

    model = fit(train.images, train.films, train.genres, train.negatives, rules, told)
    model.save(out / "embedder.keras")
    posters = opened(held_out.files)
    versions = [
        second_version(poster, int(sha256[:8], 16)) for poster, sha256 in zip(posters, held_out.sha256, strict=True)
    ]
    embedded = {
        "trained": _trained(model, held_out, versions),
        "backbone": _backbone(held_out, versions),
        "pixels": (colours(held_out.images), colours(_pixels(versions))),
        "chance": _chance(len(posters)),
    }
    figures = {name: measure(*both, held_out.films, held_out.genres) for name, both in embedded.items()}
    told_all = table(figures)
    (out / "figures.md").write_text(told_all + "\n", encoding="utf-8")
    print(f"{len(train.files):,} posters in train, {len(posters):,} in {judged_on}; {time.monotonic() - started:.0f} s")
    print(told_all)
    asked = np.random.default_rng(0).choice(len(posters), min(SHOWN, len(posters)), replace=False)
    shown = {name: embedded[name] for name in ("backbone", "trained")}
    draw_sheet(out / "sheet.jpg", versions, posters, held_out.films, asked, shown)
    return figures


def _trained(model: keras.Model, of: Split, versions: list[Image.Image]) -> tuple[np.ndarray, np.ndarray]:
    return (
        model.predict(of.images, batch_size=64, verbose=0),
        model.predict(_pixels(versions), batch_size=64, verbose=0),
    )


def _backbone(of: Split, versions: list[Image.Image]) -> tuple[np.ndarray, np.ndarray]:
    """The shipped network's embeddings, of pictures fitted in its own way: those of the catalogue."""
    model = load_model("web-images")

    def embed(files: list[bytes]) -> np.ndarray:
        looked = analyse(files, model)
        return np.stack([each.embedding for each in looked if isinstance(each, Analysis)]).astype(np.float32)

    return embed(of.files), embed([_jpeg(version) for version in versions])


def _chance(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(count, 32)), rng.normal(size=(count, 32))


def _pixels(posters: list[Image.Image]) -> np.ndarray:
    return np.stack([pixels(poster) for poster in posters])


def _jpeg(poster: Image.Image) -> bytes:
    out = io.BytesIO()
    poster.save(out, "JPEG", quality=95)
    return out.getvalue()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("export", type=Path, help="folder of the dataset")
    parser.add_argument("--out", type=Path, default=Path("trained"))
    parser.add_argument("--epochs", type=int, default=Rules.epochs)
    parser.add_argument("--on", choices=["validation", "test"], default="test", help="split to measure on")
    arguments = parser.parse_args()
    main(arguments.export, arguments.out, replace(Rules(), epochs=arguments.epochs), arguments.on)
