"""The model card: what a network was trained on, how good it is on sources it never saw, and where it fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from models.evaluate import FALSE_ALARMS, Ranking, Report
from models.training.dataset import Sample


def card(
    report: Report, training: Sequence[Sample], held_out: Sequence[Sample], temperature: float, side: int, size: int
) -> str:
    """Markdown. ``side`` is that of the input in pixels, ``size`` that of the weights file in bytes."""
    seen, unseen = Counter(s.label for s in training), Counter(s.label for s in held_out)
    sources = {part: len({s.source for s in samples}) for part, samples in (("t", training), ("h", held_out))}
    best = report.ranking
    lines = [
        f"# {report.model}",
        "",
        f"MobileNetV2 1.0, {side}×{side} letterboxed RGB, int8, {size / 1e6:.1f} MB, {len(seen)} labels, probabilities",
        f"by softmax at temperature {temperature:.2f}. Started from ImageNet weights (MobileNetV2 1.0, published as",
        "quantised TFLite under Apache-2.0), every layer trained on by `python -m models train web-images`.",
        "",
        f"Trained on {len(training):,} images of {sources['t']} sources, measured on {len(held_out):,} images of",
        f"{sources['h']} sources that it never saw: a source is one collection of one site, and is on one side only.",
        "The temperature, one number, was fitted on the held-out images.",
        "",
        f"## How well it finds a {report.label}",
        "",
        "*Web mix* leaves out what is designed like posters (book, album and game covers, cards, flyers).",
        f"*Recall* is that of the threshold at which {FALSE_ALARMS:.0%} of the other images of the web mix pass;",
        "*covers passing* is the share of covers that pass with them.",
        "",
        "| ranked by | AP, all | AUC, all | AP, web mix | AUC, web mix | recall | covers passing |",
        "|---|---|---|---|---|---|---|",
        _row(report.model, best),
        _row("aspect ratio alone (nearness to 2:3)", report.aspect_only),
        f"| always no | {report.chance:.3f} | 0.500 | | 0.500 | 0 | 0 |",
        "",
        "| threshold | precision | recall | false alarms, web mix | covers passing |",
        "|---|---|---|---|---|",
        *(
            f"| {threshold} | {row['precision']:.3f} | {row['recall']:.3f} | {row['web_false_alarms']:.3f} |"
            f" {row['covers_passing']:.3f} |"
            for threshold, row in report.at_threshold.items()
        ),
        "",
        "## By label",
        "",
        "| label | trained on | held out |",
        "|---|---|---|",
        *(f"| {label} | {seen[label]:,} | {unseen[label] or 'none: one source only'} |" for label in sorted(seen)),
        "",
        "## By held-out source",
        "",
        "| label | source | images | named right | kept at 0.5 |",
        "|---|---|---|---|---|",
        *(
            f"| {row['label']} | {row['source']} | {row['images']} | {row['named_right']:.2f} |"
            f" {row['kept_at_0.5']:.2f} |"
            for row in report.by_source
        ),
        "",
    ]
    return "\n".join(lines)


def _row(name: str, ranking: Ranking) -> str:
    figures = (
        ranking.average_precision,
        ranking.auc,
        ranking.web_average_precision,
        ranking.web_auc,
        ranking.recall,
        ranking.covers_passing,
    )
    return f"| {name} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |"
