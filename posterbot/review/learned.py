"""A learned head as a model folder, with a card that says where it comes from; as ``python -m models train`` has it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from posterbot.review.compared import ROUNDS, SURE, TOLERANCE, Compared, Figure
from posterbot.review.learn import Learned
from posterbot.review.targets import LearnError

HEADINGS = ("labels", "reviews", "model", "average precision", "precision", "recall")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}")


def free_name(folder: Path, label: str | None) -> str:
    """A name that no folder in ``folder`` has: ``flyer-1``, or ``learned-1``."""
    word = re.sub(r"[^A-Za-z0-9_-]+", "-", label or "learned").strip("-_") or "learned"
    return next(name for number in range(1, 10**6) if not (folder / (name := f"{word}-{number}")).exists())


def check_name(name: str) -> str:
    """``name``, if a model can be called so.

    Raises:
        LearnError: it cannot, or a shipped one is.
    """
    from models.registry import known_models

    if not _NAME.fullmatch(name):
        raise LearnError(f"name {name[:80]!r}: a model's name is made of letters, digits, _ and -")
    if name in known_models():
        raise LearnError(f"name {name!r}: a shipped model is called so; take another")
    return name


def save(folder: Path, name: str, learned: Learned) -> None:
    """Write the model folder; ``model.toml`` goes first and comes last, so that half a folder is no model.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.toml").unlink(missing_ok=True)
    (folder / "head.npz").write_bytes(learned.head.to_bytes())
    (folder / "labels.txt").write_text("\n".join(learned.labels) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(card(name, learned), encoding="utf-8")
    entries = {
        "kind": "taught",
        "name": name,
        "base": learned.base,
        "base_hash": learned.base_hash,
        "head": "head.npz",
        "labels": "labels.txt",
    }
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in entries.items()]
    (folder / "model.toml").write_text("".join(lines), encoding="utf-8")


def table(learned: Learned) -> list[tuple[str, ...]]:
    """Two rows for each set of labels, in the columns of :data:`HEADINGS`: the old model, and the new one."""
    rows: list[tuple[str, ...]] = []
    for _, figures in learned.compared:
        name = ", ".join(figures.labels)
        old = learned.old.name if figures.stand_in is None else f"{learned.old.name}, by {figures.stand_in}"
        reviews = f"{figures.wanted:,} + {figures.others:,}"
        for model, side in ((old, figures.old), ("learned", figures.new)):
            shares = _text(side.average_precision), _text(side.precision), _text(side.recall)
            rows.append((name, reviews, model, *shares))
    return rows


def gains(learned: Learned) -> list[str]:
    """A line for each set of labels: what was won."""
    return [_gain(figures) for _, figures in learned.compared]


def card(name: str, learned: Learned) -> str:
    """Markdown; the same reviews give the same text."""
    new = learned.labels[len(learned.old.labels) :]
    hosts = ", nor its host" if learned.by_host else ""
    lines = [
        f"# {name}",
        "",
        f"A linear head on the frozen features of {learned.base} ({learned.base_hash[:12]}), made by `posterbot learn`",
        f"from what people said of {learned.reviewed:,} images that were crawled. It begins where {learned.old.name}",
        f"({learned.old.hash[:12]}) was, as read off its scores of {learned.pool:,} other images, and moves as far as",
        f"the answers ask for (variance of the weights {learned.strength:g}).",
        f"New labels: {', '.join(new) or 'none'}. No pictures are shipped with {learned.base}, so none were learned",
        "from beside those reviewed; the old scores stand for them.",
        "",
        "## Old and new on held-out reviews",
        "",
        f"{learned.folds} folds: each image is scored by a fit that has seen neither it, nor a copy of it, nor its",
        f"film{hosts}. Precision and recall are those from {learned.threshold:g} on, among the reviewed images, which",
        "are not a random sample: compare the two rows, and take the figures for nothing else. 95 % intervals are by",
        f"{ROUNDS:,} rounds of the bootstrap.",
        "",
        f"| {' | '.join(HEADINGS)} |",
        "|---" * len(HEADINGS) + "|",
        *(f"| {' | '.join(row)} |" for row in table(learned)),
        "",
        *(f"- {line}" for line in gains(learned)),
        "",
        f"To be used it has to rank better in {SURE:.0%} of these rounds, and to lose less than {TOLERANCE:g} on what",
        f"else is looked for: **{'refused' if learned.refused else 'it does'}**"
        + (f", {learned.refused}." if learned.refused else "."),
        "",
        "Probabilities hold for a mixture like that of the reviews and the crawl they are from.",
        "",
    ]
    return "\n".join(lines)


def _gain(figures: Compared) -> str:
    gain = figures.gain
    return (
        f"{', '.join(figures.labels)}: {gain.value:+.3f} average precision "
        f"({gain.interval[0]:+.3f} to {gain.interval[1]:+.3f}), better in {figures.better:.0%} of the rounds"
    )


def _text(figure: Figure) -> str:
    if figure.value != figure.value:
        return "none kept"
    return f"{figure.value:.3f} ({figure.interval[0]:.3f}–{figure.interval[1]:.3f})"
