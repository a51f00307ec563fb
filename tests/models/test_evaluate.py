"""Every figure of a report, on a few images whose scores can be read off their colour; and the command."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from colours import Colours, draw
from conftest import encode, picture

from models.__main__ import cli
from models.evaluate import evaluate, operating_point
from models.registry import load_model
from models.training.dataset import Sample, read_samples, split_by_source


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """Two posters of three are named so, a book cover is named poster, and two files are no pictures."""
    made = [
        draw(tmp_path, "poster/a__1.png", 90),
        draw(tmp_path, "poster/a__2.png", 60, 30),
        draw(tmp_path, "poster/b__3.png", 20, 70),
        draw(tmp_path, "poster_square/a__4.png", 80),
        draw(tmp_path, "book_cover/c__5.png", 70, 20),
        draw(tmp_path, "book_cover/c__6.png", 10, 80),
        draw(tmp_path, "photo/d__7.png", 0, 0, size=(60, 40)),
        draw(tmp_path, "map/e__8.png", 10, 0, size=(60, 30)),
    ]
    for name, content in (("9", b"<html>"), ("10", encode(picture())[:2000])):
        path = tmp_path / "photo" / f"d__{name}.jpg"
        path.write_bytes(content)
        made.append(Sample(path, "photo", "d"))
    return made


def test_every_figure(samples: list[Sample]) -> None:
    ticks: list[None] = []
    report = evaluate(Colours(), samples, advance=lambda: ticks.append(None))
    assert (report.images, report.unreadable, len(ticks)) == (7, 2, 9)  # squashed posters are neither right nor wrong
    assert [line.partition(": ")[2].partition(":")[0] for line in report.unreadable_files] == ["html", "truncated"]
    assert report.chance == pytest.approx(3 / 7)
    assert report.scored.targets == ["poster"] * 3 + ["book_cover"] * 2 + ["photo", "map"]
    assert report.scored.table[:, 0] == pytest.approx([0.9, 0.6, 0.2, 0.7, 0.1, 0.0, 0.1], abs=0.005)
    assert report.scored.aspects.tolist() == [40 / 60] * 5 + [60 / 40, 2]

    assert report.ranking.average_precision == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert report.ranking.auc == pytest.approx(10 / 12)
    assert report.ranking.web_average_precision == 1
    assert (report.ranking.recall, report.ranking.covers_passing) == (1, 0.5)
    assert report.aspect_only.web_auc == 1
    assert report.aspect_only.auc == pytest.approx((6 + 6 / 2) / 12)
    assert report.at_threshold["0.5"] == {
        "precision": pytest.approx(2 / 3),
        "recall": pytest.approx(2 / 3),
        "web_false_alarms": 0,
        "covers_passing": 0.5,
    }
    assert report.at_threshold["0.9"]["precision"] == 1

    assert report.accuracy == pytest.approx(4 / 7)
    assert report.confusion.labels == ["book_cover", "map", "photo", "poster"]
    assert report.confusion.counts == [[1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 1, 0], [1, 0, 0, 2]]
    rows = {row.label: row for row in report.by_label}
    assert list(rows) == report.confusion.labels
    poster = rows["poster"]
    assert (poster.support, poster.precision, poster.recall) == (3, pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert (poster.f1, poster.auc) == (pytest.approx(2 / 3), pytest.approx(10 / 12))
    assert (rows["photo"].precision, rows["photo"].recall, rows["photo"].f1) == (0.5, 1, pytest.approx(2 / 3))
    unknown = rows["map"]  # the model has no such label: whatever it says is wrong
    assert (unknown.support, unknown.precision, unknown.recall, unknown.f1, unknown.auc) == (1, None, 0, 0, None)

    assert [(row["label"], row["source"], row["images"], row["named_right"]) for row in report.by_source] == [
        ("book_cover", "c", 2, 0.5),
        ("map", "e", 1, 0),
        ("photo", "d", 1, 1),
        ("poster", "a", 2, 1),
        ("poster", "b", 1, 0),
    ]
    # Seven bins of one image each: |confidence − right| on average.
    top = [(0.9, 1), (0.6, 1), (0.7, 0), (0.7, 0), (0.8, 1), (1.0, 1), (0.9, 0)]
    assert report.top_reliability.ece == pytest.approx(sum(abs(p - right) for p, right in top) / 7, abs=0.005)
    of_poster = [0.1, 0.4, 0.8, 0.7, 0.1, 0, 0.1]
    assert report.label_reliability.ece == pytest.approx(sum(of_poster) / 7, abs=0.005)
    json.dumps(report.as_dict(), allow_nan=False)
    assert set(report.intervals) == {"average_precision", "web_average_precision", "recall", "covers_passing"}


def test_another_label_and_many_unreadable_files(samples: list[Sample]) -> None:
    gone = [Sample(Path(f"nowhere/{n}.jpg"), "photo", "d") for n in range(7)]
    report = evaluate(Colours(), [*gone, *samples], "book_cover")
    assert report.unreadable == 9
    assert report.unreadable_files == [f"nowhere/{n}.jpg: unreadable: No such file or directory" for n in range(5)]
    assert report.images == 8  # squashed posters are no book covers
    assert math.isnan(report.ranking.covers_passing)  # there are no other covers
    assert report.as_dict()["ranking"]["covers_passing"] is None


@pytest.mark.parametrize(
    ("label", "chosen", "message"),
    [
        (
            "sticker",
            slice(None),
            "'sticker' is not both a label of colours and a folder .*: colours knows poster, book",
        ),
        ("photo", slice(0, 6), "'photo' is not both a label of colours and a folder .*: there are book_cover, poster"),
        ("photo", slice(8, None), "'photo' is not both .*d__9.jpg: html"),
        ("poster", slice(0, 3), "all readable images are labelled 'poster'"),
    ],
)
def test_what_cannot_be_measured(samples: list[Sample], label: str, chosen: slice, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        evaluate(Colours(), samples[chosen], label)
    assert "\n" not in str(caught.value)


def test_an_operating_point_without_images() -> None:
    nobody = np.zeros(2, bool)
    point = operating_point(np.array([0.1, 0.2]), np.array([True, False]), nobody, 0.5)
    assert point == {"precision": None, "recall": 0, "web_false_alarms": 0, "covers_passing": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Drawn pictures for the shipped model."""
    for number in range(24):
        label, source = ("poster", "logo")[number % 2], "ab"[number // 2 % 2]
        path = tmp_path / "images" / label / f"{label}-{source}__{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(picture(200, 300 if label == "poster" else 200, seed=number)))
    (tmp_path / "images" / "logo" / "broken__1.png").write_bytes(b"")
    return tmp_path / "images"


def test_the_command(folder: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["evaluate", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "24 images, 1 unreadable; 50.0% are poster" in done.output
    assert f"{folder}/logo/broken__1.png: empty: no bytes" in done.output
    for heading in ("95 % intervals", "ECE", "false alarms", "mostly mistaken for", "named right  kept at 0.5"):
        assert heading in done.output
    assert "nan" not in done.output

    out = tmp_path / "new" / "out"
    done = CliRunner().invoke(cli, ["evaluate", str(folder), "--json", "--out", str(out), "--held-out"])
    assert done.exit_code == 0, done.output
    assert done.stdout.count("\n") == 1
    report = json.loads(done.stdout)
    assert report["images"] == 12
    assert report == json.loads((out / "report.json").read_text())
    names = {"report.json", "pr.png", "reliability.png", "confusion.png", "mistakes.png"}
    assert {file.name for file in out.iterdir()} == names


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{}/empty"], 1, "expected DIR/<label>/<image files>, found no image there"),
        (["{}/flat"], 1, "expected DIR/<label>/<image files>, found no image there"),
        (["{}/one"], 1, "all readable images are labelled 'poster'"),
        (["{}/one", "--model", "nonsense"], 1, "nonsense"),
        (["{}/one", "--out", "{}/flat/a.jpg"], 2, "is a file"),
        (["{}/one", "--out", "{}/flat/a.jpg/b"], 1, "Not a directory"),
        (["{}/one", "--held-out"], 1, "nothing is held out"),
        (["{}/nowhere"], 2, "does not exist"),
        ([], 2, "Missing argument"),
    ],
)
def test_one_line_for_what_is_wrong(tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    for name in ("empty/x", "flat", "one/poster"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("flat/a.jpg", "one/poster/a__1.jpg", "one/poster/a__2.jpg"):
        (tmp_path / name).write_bytes(encode(picture()))
    done = CliRunner().invoke(cli, ["evaluate", *(word.format(tmp_path) for word in arguments)])
    assert done.exit_code == code, done.output
    assert message in done.output
    assert "Traceback" not in done.output
    assert len(done.output.splitlines()) == 1 or code == 2


def test_the_shipped_model_on_real_pictures(real_data: Path) -> None:
    held_out = split_by_source(read_samples(real_data / "images"))[1]
    samples = [sample for sample in held_out if sample.label in {"poster", "logo", "document", "book_cover"}][::12]
    report = evaluate(load_model(), samples)
    assert report.unreadable == 0
    assert report.ranking.average_precision > max(0.8, report.aspect_only.average_precision)
    assert report.label_reliability.ece < 0.2
    low, high = report.intervals["average_precision"]
    assert low < report.ranking.average_precision < high
