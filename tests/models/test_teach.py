"""Teaching: from a folder to a model that is usable by name, with honest figures, to the same bytes every time."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from conftest import encode, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from test_taught import make_base, tiny_network

from models.__main__ import cli
from models.calibration import reliability
from models.classifier import Classifier
from models.curve import threshold_at
from models.decode import letterbox, read_rgb
from models.lesson import Examples, Lesson, TeachError, read_lesson
from models.registry import load_model
from models.teach import _divide, teach
from models.teach_card import wilson

TINTS = {"autumn": (220, 90, 20), "other": (120, 120, 120), "sea": (10, 70, 200)}


def tinted(label: str, seed: int) -> Image.Image:
    """A picture in the colours of a label."""
    return Image.blend(
        picture(80, 60 + seed % 40, seed=seed), Image.new("RGB", (80, 60 + seed % 40), TINTS[label]), 0.5
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three kinds of pictures; ``sea`` is from one source, the others from three each."""
    for number in range(60):
        label = sorted(TINTS)[number % 3]
        name = f"{number}.jpg" if label == "sea" else f"{label}-{'abc'[number // 3 % 3]}__{number}.jpg"
        file = tmp_path / "data" / label / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode(tinted(label, number)))
    return tmp_path / "data"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the shipped models, with one that gives an embedding and one that does not."""
    weights = tmp_path / "weights"
    make_base(weights / "tiny")
    monkeypatch.setattr("models.registry.WEIGHTS", weights)
    monkeypatch.setattr("models.commands.train.WEIGHTS", weights)
    return weights


def run(*arguments: object) -> Result:
    done = CliRunner().invoke(cli, ["train", *map(str, arguments)])
    assert "Traceback" not in done.output
    return done


def scored(model: Classifier, images: list[Image.Image]) -> np.ndarray:
    return model.predict(np.stack([letterbox(read_rgb(encode(i), model.side), model.side) for i in images]))


def test_taught_and_usable_at_once(weights: Path, data: Path) -> None:
    (data / "sea" / "torn.jpg").write_bytes(encode(tinted("sea", 1))[:300])
    (data / "other" / "page.jpg").write_bytes(b"<html></html>")
    done = run("seasons", "--from", "tiny", "--data", data)
    assert done.exit_code == 0, done.output
    assert "unreadable: other/page.jpg: html: " in done.stderr
    assert "unreadable: sea/torn.jpg: truncated: " in done.stderr
    assert "60 images of 3 labels, 2 unreadable" in done.stdout
    assert "use it as -a model=seasons\n" in done.stdout

    model = load_model("seasons")
    assert model.labels == ("autumn", "other", "sea")
    new = [tinted(label, 100 + n) for n in range(10) for label in model.labels]
    table = scored(model, new)
    assert (table.argmax(1) == np.tile([0, 1, 2], 10)).mean() >= 0.9
    assert np.allclose(table.sum(1), 1, atol=1e-5)
    assert 0 < threshold_at(model.curve, ["autumn"], "precision", 0.8) < 1

    card = (weights / "seasons" / "card.md").read_text()
    assert "| autumn | autumn-b | 7 |" in card
    assert "| sea | sea | 20 |" in card
    assert "60 images; 2 files could not be read." in card
    assert "| autumn | 20 | sources | " in card
    assert "| sea | 20 | images | " in card
    confusion = [line.split(" | ")[1:] for line in card.splitlines()[-3:]]
    assert [sum(int(cell.strip(" |")) for cell in row) for row in confusion] == [20, 20, 20]


def test_same_inputs_same_bytes(weights: Path, data: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(data, tmp_path / "moved")
    for place, out in ((data, "one"), (moved, "two")):
        assert run("seasons", "--from", "tiny", "--data", place, "--out", tmp_path / out).exit_code == 0
    for file in ("head.npz", "card.md", "labels.txt", "curve.json", "model.toml"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
    assert run("seasons", "--from", "tiny", "--data", data, "--seed", 8, "--out", tmp_path / "two").exit_code == 0
    assert (tmp_path / "one" / "card.md").read_text() != (tmp_path / "two" / "card.md").read_text()


def test_taught_again_and_on_a_folder(
    weights: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(weights)
    assert run("seasons", "--from", "tiny", "--data", data, "--out", tmp_path / "out").exit_code == 0
    shutil.copytree(weights / "tiny", tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert run("seasons", "--from", "elsewhere", "--data", data, "--out", "out", "--folds", 2).exit_code == 0
    assert "2 folds." in (tmp_path / "out" / "card.md").read_text()
    monkeypatch.chdir(weights)  # the base is found from anywhere
    assert load_model(str(tmp_path / "out")).labels == tuple(TINTS)
    done = run("more", "--from", tmp_path / "out", "--data", data)
    assert done.exit_code == 1
    assert "is itself taught on" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["seasons"], "seasons is taught with --from MODEL"),
        (["seasons", "--from", "tiny", "--imagenet", __file__], "--imagenet FILE trains web-images only"),
        (["web-images"], "web-images is trained with --imagenet FILE"),
        (["web-images", "--from", "tiny"], "web-images is trained with --imagenet FILE"),
        (["web-images", "--imagenet", __file__, "--folds", "3"], "--from and --folds teach other names"),
        (["tiny", "--from", "tiny"], "tiny holds a model that was not taught"),
        (["../seasons", "--from", "tiny"], "a name is made of a-z, 0-9, _ and -"),
        (["Seasons", "--from", "tiny"], "a name is made of a-z, 0-9, _ and -"),
        (["seasons", "--from", "tiny", "--folds", "1"], "'--folds': 1 is not in the range"),
        (["seasons", "--from", "tiny", "--data", "nowhere"], "'nowhere' does not exist"),
    ],
)
def test_wrong_usage(weights: Path, data: Path, arguments: list[str], message: str) -> None:
    done = run(*arguments[:1], "--data", data, *arguments[1:])
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())
    assert sorted(folder.name for folder in weights.iterdir()) == ["tiny"]


def flood(folder: Path, image: Image.Image) -> None:
    """The same picture over and over."""
    for file in folder.iterdir():
        file.write_bytes(encode(image))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: [shutil.rmtree(d / name) for name in TINTS], "expected DIR/<label>/<image files>"),
        (lambda d: [shutil.rmtree(d / name) for name in ("sea", "other")], "the only label is autumn; give a second"),
        (lambda d: (d / "empty").mkdir(), "empty: no image files; at least 5 are needed"),
        (lambda d: (d / "sea").rename(d / "a,b"), "a label is made of letters"),
        (lambda d: [f.unlink() for f in sorted((d / "sea").iterdir())[4:]], "sea: 4 different readable images"),
        (lambda d: flood(d / "sea", tinted("sea", 1)), "sea: 1 different readable images, at least 5 are needed"),
    ],
)
def test_nothing_to_be_taught(weights: Path, data: Path, spoil: object, message: str) -> None:
    spoil(data)  # type: ignore[operator]
    done = run("seasons", "--from", "tiny", "--data", data)
    assert done.exit_code == 1
    assert message in done.output
    assert done.output.count("\n") == 1
    assert not (weights / "seasons").exists()


def test_a_base_without_embedding_or_none_at_all(weights: Path, data: Path) -> None:
    done = run("seasons", "--from", "tony", "--data", data)
    assert done.exit_code == 1
    assert "no model 'tony'" in done.output
    (weights / "tiny" / "model.tflite").write_bytes(tiny_network(embeds=False))
    done = run("seasons", "--from", "tiny", "--data", data)
    assert done.exit_code == 1
    assert "model tiny gives scores only, no embedding to teach on" in done.output


def test_a_folder_that_cannot_be_written(weights: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("seasons", "--from", "tiny", "--data", data, "--out", tmp_path / "file" / "deeper")
    assert done.exit_code == 1
    assert "cannot write" in done.output


def test_a_file_that_may_not_be_read(weights: Path, data: Path) -> None:
    (data / "sea" / "gone.jpg").symlink_to(data / "nowhere.jpg")
    lesson = read_lesson(data, load_model("tiny"))
    assert lesson.unreadable == ("sea/gone.jpg: No such file or directory",)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 5))
def test_divisions(seed: int, folds: int, count: int) -> None:
    """Every row is scored once; no look, and no source of a label divided by source, is on both sides."""
    rng = np.random.default_rng(seed)
    targets, sources = rng.integers(0, 3, 80), np.array(list("stuvw"))[rng.integers(0, count, 80)]
    looks = np.concatenate([rng.integers(0, 40, 65), np.arange(100, 115)])  # some lie in several sources and labels
    targets[-15:] = np.repeat([0, 1, 2], 5)
    splits, by_source = _divide(Examples(np.zeros((80, 1)), targets, sources, looks.astype(str)), folds, 7)
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(80))
    for training, test in splits:
        assert not set(looks[training]) & set(looks[test])
        assert set(targets[training]) == {0, 1, 2}
        for label in by_source:
            inside, outside = (set(sources[part][targets[part] == label]) for part in (training, test))
            assert not inside & outside


def test_one_source_is_divided_by_image() -> None:
    targets = np.repeat([0, 1], 12)
    sources = np.array(["a"] * 12 + ["b", "c", "d"] * 4)
    examples = Examples(np.zeros((24, 1), np.float32), targets, sources, np.arange(24).astype(str))
    splits, by_source = _divide(examples, 5, 7)
    assert by_source == {1}
    assert all(set(targets[training]) == {0, 1} for training, _ in splits)


def lesson_of(shares: list[int], distance: float, seed: int = 0) -> Lesson:
    """Gaussian clouds, one a label, of so many points; their means are so far apart."""
    rng = np.random.default_rng(seed)
    targets = np.repeat(np.arange(len(shares)), shares)
    features = rng.normal(size=(len(targets), 12))
    features[np.arange(len(targets)), targets] += distance
    names = tuple("abc"[: len(shares)])
    looks = np.arange(len(targets)).astype(str)
    return Lesson(names, Examples(features.astype(np.float32), targets, np.full(len(targets), "x"), looks), ())


@pytest.mark.parametrize("shares", [[400, 100], [40, 60, 500]])
def test_scores_are_probabilities(shares: list[int]) -> None:
    """Of a thin label as well: on new images their mean is its share, and confidence is accuracy."""
    taught = teach(lesson_of(shares, 1.5))
    new = lesson_of([n * 5 for n in shares], 1.5, seed=1)
    scores = taught.head.probabilities(new.examples.features)
    assert np.allclose(scores.mean(0), np.array(shares) / sum(shares), atol=0.03)
    assert reliability(scores.max(1), scores.argmax(1) == new.examples.targets).ece < 0.04
    # What cross-validation says is what new images show.
    accuracy = [
        (table.argmax(1) == targets).mean()
        for table, targets in ((taught.scores, np.repeat(range(len(shares)), shares)), (scores, new.examples.targets))
    ]
    assert accuracy[0] == pytest.approx(accuracy[1], abs=0.04)


def test_twenty_perfect_answers_are_no_certainty() -> None:
    taught = teach(lesson_of([10, 10], 50.0))
    assert (taught.scores.argmax(1) == np.repeat([0, 1], 10)).all()
    assert 0.8 < taught.scores.max(1).mean() < 0.995


def test_noise_is_found_to_be_noise() -> None:
    taught = teach(lesson_of([60, 60], 0.0))
    assert (taught.scores.argmax(1) == np.repeat([0, 1], 60)).mean() < 0.65
    assert taught.scores.max(1).mean() < 0.65


def test_labels_that_share_all_images_cannot_be_divided() -> None:
    lesson = lesson_of([10, 10], 1.0)
    same = Examples(lesson.examples.features, lesson.examples.targets, lesson.examples.sources, np.array(["x"] * 20))
    with pytest.raises(TeachError, match="look the same"):
        teach(Lesson(lesson.labels, same, ()))


def test_wilson() -> None:
    # Newcombe, Statistics in Medicine 17, 1998, table I.
    for right, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(right, of) == pytest.approx((low, high), abs=5e-5)
    assert wilson(0, 0) == (0, 1)


def test_real_images(real_data: Path, tmp_path: Path) -> None:
    """Sixty of each of three kinds, taught on the shipped model; sixty others of each are scored right."""
    for label in ("icon", "logo", "map"):
        files = sorted((real_data / "images" / label).iterdir())
        chosen = [files[n * len(files) // 120] for n in range(120)]
        for number, file in enumerate(chosen):
            link = tmp_path / ("new", "data")[number % 2] / label / file.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)
    done = run("kinds", "--from", "web-images", "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    model = load_model(str(tmp_path / "out"))
    new = read_lesson(tmp_path / "new", model).examples
    pixels = [
        letterbox(read_rgb(file.read_bytes(), model.side), model.side)
        for label in model.labels
        for file in sorted((tmp_path / "new" / label).iterdir())
    ]
    assert (model.predict(np.stack(pixels)).argmax(1) == new.targets).mean() >= 0.85
