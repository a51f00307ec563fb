"""A report as pictures: precision and recall, reliability, confusion, and a contact sheet of the worst mistakes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from sklearn.metrics import precision_recall_curve

from models.calibration import Reliability
from models.decode import ImageError, read_rgb
from models.evaluate import Report
from models.training.dataset import COVERS

DPI = 110
MISTAKES = 20
"""So many of each kind are on the sheet."""
_COLUMNS, _CELL, _CAPTION, _GAP = 10, 150, 50, 10
_BLUE, _ORANGE, _GREY = "#1f5fa8", "#c8601a", "#777777"


def write_plots(report: Report, folder: Path) -> None:
    """Write ``pr.png``, ``reliability.png`` and ``confusion.png`` into ``folder``; the same report, the same bytes."""
    figures = {"pr": _precision_recall(report), "reliability": _reliability(report), "confusion": _confusion(report)}
    for name, figure in figures.items():
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=DPI)
        # 64 colours are enough for lines and text, and a third of the bytes.
        with Image.open(buffer) as image:
            image.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(folder / f"{name}.png", optimize=True)


def write_mistakes(report: Report, path: Path) -> None:
    """Write a contact sheet of the worst mistakes: what else scored highest, and what was wanted and scored lowest.

    The sheet shows the pictures themselves, which may be other people's; nothing else written here does.
    """
    scored = report.scored
    probability = scored.table[:, scored.labels.index(report.label)]
    wanted = np.array(scored.targets) == report.label
    order = np.argsort(probability, kind="stable")
    sections = (
        (f"Not {report.label}, and scored highest", [i for i in order[::-1] if not wanted[i]][:MISTAKES]),
        (f"{report.label}, and scored lowest", [i for i in order if wanted[i]][:MISTAKES]),
    )
    heading, row = 40, _CELL + _CAPTION + _GAP
    rows = [-(-len(indices) // _COLUMNS) for _, indices in sections]
    size = _COLUMNS * (_CELL + _GAP) + _GAP, sum(heading + n * row for n in rows) + _GAP
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    top = 0
    for (title, indices), count in zip(sections, rows, strict=True):
        draw.text((_GAP, top + 12), title, "black", ImageFont.load_default(18))
        top += heading
        for place, index in enumerate(indices):
            x, y = _GAP + place % _COLUMNS * (_CELL + _GAP), top + place // _COLUMNS * row
            _paste(sheet, draw, scored.samples[index].path, x, y)
            lines = (f"is {scored.targets[index]}", f"named {scored.named[index]}", f"{probability[index]:.3f}")
            for number, line in enumerate(lines):
                draw.text((x, y + _CELL + 2 + 15 * number), _shortened(line), "black", ImageFont.load_default(12))
        top += count * row
    sheet.save(path, optimize=True)


def _paste(sheet: Image.Image, draw: ImageDraw.ImageDraw, path: Path, x: int, y: int) -> None:
    draw.rectangle((x, y, x + _CELL - 1, y + _CELL - 1), "#eeeeee")
    try:
        picture = read_rgb(path.read_bytes(), _CELL)
    except (OSError, ImageError):  # it could be read when it was scored
        draw.text((x + 8, y + 8), "gone", "black", ImageFont.load_default(12))
        return
    sheet.paste(picture, (x + (_CELL - picture.width) // 2, y + (_CELL - picture.height) // 2))


def _shortened(text: str) -> str:
    font = ImageFont.load_default(12)
    while font.getlength(text) > _CELL:
        text = text.removesuffix("…")[:-1] + "…"
    return text


def _precision_recall(report: Report) -> Figure:
    scored = report.scored
    wanted = np.array(scored.targets) == report.label
    web = wanted | ~np.array([target in COVERS for target in scored.targets])
    probability = scored.table[:, scored.labels.index(report.label)]
    nearness = -abs(np.log(scored.aspects) - np.log(2 / 3))
    figure = Figure((6.4, 5), layout="constrained")
    axes = figure.subplots()
    for part, where, style in ((np.ones_like(web), "all images", "-"), (web, "web mix", "--")):
        for score, name, colour in (
            (probability, report.model, _BLUE),
            (nearness, "aspect ratio alone", _ORANGE),
        ):
            precision, recall, _ = precision_recall_curve(wanted[part], score[part])
            # Steps, as average precision counts them; the last point (1 at 0) is the library's, not measured.
            axes.step(
                recall[:-1], precision[:-1], where="post", color=colour, linestyle=style, label=f"{name}, {where}"
            )
    axes.axhline(report.chance, color=_GREY, linewidth=1, linestyle=":", label="chance, all images")
    _unit(axes, f"recall of {report.label}", "precision")
    axes.legend(loc="lower left", fontsize=9)
    axes.set_title(f"{report.model}: {int(wanted.sum()):,} of {report.images:,} images are {report.label}", fontsize=11)
    return figure


def _reliability(report: Report) -> Figure:
    figure = Figure((8.4, 4.4), layout="constrained")
    for axes, name, measured in zip(
        figure.subplots(1, 2),
        ("most probable label", f"probability of {report.label}"),
        (report.top_reliability, report.label_reliability),
        strict=True,
    ):
        _diagram(axes, measured)
        axes.set_title(f"{name}: ECE {measured.ece:.3f}", fontsize=11)
    return figure


def _diagram(axes: Axes, measured: Reliability) -> None:
    axes.plot((0, 1), (0, 1), color=_GREY, linewidth=1, linestyle=":")
    confidence, accuracy = [bin.confidence for bin in measured.bins], [bin.accuracy for bin in measured.bins]
    axes.plot(confidence, accuracy, color=_BLUE, marker="o", markersize=5)
    _unit(axes, "mean probability", "share that was right")
    axes.set_aspect("equal")


def _confusion(report: Report) -> Figure:
    labels, counts = report.confusion.labels, np.array(report.confusion.counts)
    totals = counts.sum(1, keepdims=True)
    shares = np.divide(100 * counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    side = max(4.0, 2.2 + 0.36 * len(labels))
    figure = Figure((side + 0.6, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    rows = [f"{label} ({total:,})" for label, total in zip(labels, totals[:, 0], strict=True)]
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=9)
    axes.set_yticks(range(len(labels)), rows, fontsize=9)
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#dddddd", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    for i, j in zip(*np.nonzero(shares > 0.5), strict=True):
        axes.text(j, i, f"{shares[i, j]:.0f}", ha="center", va="center", fontsize=8, color=_ink(shares[i, j]))
    axes.set_xlabel("named (% of the row)", fontsize=10, labelpad=8)
    axes.xaxis.set_label_position("top")
    axes.set_ylabel("is (images)", fontsize=10)
    return figure


def _ink(share: float) -> str:
    return "white" if share > 55 else "black"


def _unit(axes: Axes, x: str, y: str) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel=x, ylabel=y)
    axes.grid(color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)
