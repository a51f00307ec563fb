"""How good is an embedding? The same questions to each, and a sheet to look at."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

ROUNDS = 1000
"""Of the bootstrap: queries drawn with replacement."""
AMONG = (1, 5, 10)


@dataclass
class Figures:
    """Per query, so that intervals can be drawn from them; 0–1."""

    film: np.ndarray
    """float (queries, 3): was the poster of the same film among the first 1, 5, 10?"""
    genre_precision: np.ndarray
    """float (queries with a genre,): share of the first 10 that share one."""
    genre_average_precision: np.ndarray


def measure(posters: np.ndarray, versions: np.ndarray, films: np.ndarray, genres: np.ndarray) -> Figures:
    """Ask each question of each poster.

    Same film: the second version of a poster is the query, all posters are searched. Genre: a poster is the query, all
    others are searched.

    Args:
        posters: float (n, D), embeddings.
        versions: float (n, D), of a second version of each.
        films: int (n,).
        genres: 0 or 1 (n, G).
    """
    posters, versions = unit(posters), unit(versions)
    similar = versions @ posters.T
    same = films[:, None] == films[None, :]
    best = np.where(same, similar, -np.inf).max(axis=1)
    rank = (np.where(same, -np.inf, similar) >= best[:, None]).sum(axis=1)
    film = np.stack([rank < among for among in AMONG], axis=1).astype(float)
    known = genres.any(axis=1)
    others = posters[known] @ posters[known].T
    shares = (genres[known] @ genres[known].T) > 0
    np.fill_diagonal(others, -np.inf)
    order = np.argsort(-others, axis=1, kind="stable")[:, :-1]
    hits = np.take_along_axis(shares, order, 1).astype(float)
    precision = hits.cumsum(axis=1) / np.arange(1, hits.shape[1] + 1)
    average = (precision * hits).sum(axis=1) / np.maximum(hits.sum(axis=1), 1)
    return Figures(film, hits[:, :10].mean(axis=1), average)


def interval(values: np.ndarray) -> str:
    """Mean and its 95 % interval: ``0.812 (0.783–0.840)``."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (ROUNDS, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values.mean():.3f} ({low:.3f}–{high:.3f})"


def table(figures: dict[str, Figures]) -> str:
    """All figures as a table in Markdown."""
    heads = [*(f"film, recall@{among}" for among in AMONG), "genre, precision@10", "genre, mAP"]
    lines = ["| embedding | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for name, of in figures.items():
        columns = [*of.film.T, of.genre_precision, of.genre_average_precision]
        lines.append(f"| {name} | " + " | ".join(map(interval, columns)) + " |")
    return "\n".join(lines)


def colours(images: np.ndarray) -> np.ndarray:
    """The pixels themselves as an embedding: uint8 (n, H, W, 3), shrunk to 8 × 14, without their mean."""
    count, height, width, _ = images.shape
    small = images.reshape(count, 14, height // 14, 8, width // 8, 3).mean(axis=(2, 4)).reshape(count, -1)
    return small - small.mean(axis=1, keepdims=True)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Each row with length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def draw_sheet(
    out: Path,
    queries: list[Image.Image],
    posters: list[Image.Image],
    films: np.ndarray,
    asked: np.ndarray,
    embeddings: dict[str, tuple[np.ndarray, np.ndarray]],
) -> None:
    """For each of the queries a row per embedding: the query, and its ten nearest; the same film is framed.

    Args:
        out: a JPEG.
        queries: second versions of ``posters``.
        posters: that are searched.
        films: int (n,), of both.
        asked: rows of the queries that are shown.
        embeddings: name → those of posters and of queries.
    """
    wide, high, gap, left = 80, 118, 6, 92
    rows = len(asked) * len(embeddings)
    sheet = Image.new("RGB", (left + 11 * (wide + gap) + 3 * gap, rows * (high + gap) + len(asked) * 2 * gap), "white")
    draw = ImageDraw.Draw(sheet)
    y = gap
    for row in asked:
        for name, (of_posters, of_queries) in embeddings.items():
            nearest = np.argsort(-(unit(of_posters) @ unit(of_queries)[row]), kind="stable")[:10]
            draw.text((gap, y + high // 2 - 6), name, fill="black")
            sheet.paste(queries[row].resize((wide, high)), (left, y))
            for place, poster in enumerate(nearest, 1):
                x = left + place * (wide + gap) + 2 * gap
                sheet.paste(posters[poster].resize((wide, high)), (x, y))
                if films[poster] == films[row]:
                    draw.rectangle((x - 4, y - 4, x + wide + 3, y + high + 3), outline="#d3321d", width=4)
            y += high + gap
        y += 2 * gap
    sheet.save(out, "JPEG", quality=85)


def opened(files: list[bytes]) -> list[Image.Image]:
    """The pictures of files."""
    return [Image.open(io.BytesIO(file)).convert("RGB") for file in files]
