"""``python -m models score``: an answer for every file, in order, and a good end however it ends."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from colours import Colours, draw
from conftest import encode, picture
from test_decode import png_bomb

from models import files
from models.__main__ import cli
from models.commands.progress import line
from models.files import score_files
from models.registry import load_model
from models.scorer import Scorer

COMMAND = [sys.executable, "-m", "models", "score"]


class Slow(Colours):
    """Takes long over dark images."""

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        if (pixels[:, 16, 16, 0] < 60).any():
            time.sleep(0.5)
        return super().predict(pixels)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures and four files that are none, at three depths."""
    content = {
        "b.jpg": encode(picture(300, 450)),
        "a/2.png": encode(picture(64, 32, seed=2), "PNG"),
        "a/10.webp": encode(picture(50, 50, seed=3), "WEBP"),
        "a/deep/x.jpg": b"<html>",
        "c.jpg": encode(picture())[:3000],
        "d.png": png_bomb(),
        "e": b"",
        ".hidden": b"",
    }
    for name, data in content.items():
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_bytes(data)
    (tmp_path / "images" / "a" / "round").symlink_to(tmp_path / "images")
    os.mkfifo(tmp_path / "images" / "pipe")
    return tmp_path / "images"


def test_a_folder_as_text_and_json(folder: Path) -> None:
    done = CliRunner().invoke(cli, ["score", str(folder), "nowhere.jpg"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    rows = [row.split("\t") for row in done.stdout.splitlines()]
    order = ["a/10.webp", "a/2.png", "a/deep/x.jpg", "b.jpg", "c.jpg", "d.png", "e"]
    assert [row[0] for row in rows] == [*(f"{folder}/{name}" for name in order), "nowhere.jpg"]
    assert [row[3] for row in rows] == ["50x50", "64x32", "-", "300x450", "300x450", "12000x12000", "-", "-"]
    problems = ["", "", "html", "", "truncated", "too_many_pixels", "empty", "unreadable"]
    assert [row[4].partition(":")[0] if len(row) > 4 else "" for row in rows] == problems
    assert rows[-1][4] == "unreadable: No such file or directory"
    assert done.stderr == ""

    done = CliRunner().invoke(cli, ["score", "--json", str(folder), "nowhere.jpg"], catch_exceptions=False)
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    labels = load_model().labels
    for row, found in zip(rows, objects, strict=True):
        assert found["path"] == row[0]
        if "scores" in found:
            assert tuple(found["scores"]) == labels
            assert sum(found["scores"].values()) == pytest.approx(1, abs=0.03)
            assert (found["label"], f"{found['probability']:.3f}") == (row[1], row[2])
            assert found["scores"][found["label"]] == max(found["scores"].values()) == found["probability"]
            assert f"{found['width']}x{found['height']}" == row[3]
            assert len(found["sha256"]) == 64
        else:
            assert f"{found['problem']}: {found['detail']}" == row[4]
            assert row[1:3] == ["-", "-"]


def test_a_list(folder: Path) -> None:
    paths = [folder / "b.jpg", folder / "a" / "2.png", folder / "b.jpg"]
    (folder / "list.txt").write_text(f"{paths[0]}\r\n\n{paths[1]}\n{paths[2]}")
    done = CliRunner().invoke(cli, ["score", "--list", str(folder / "list.txt")], catch_exceptions=False)
    assert done.exit_code == 0
    rows = [row.split("\t") for row in done.stdout.splitlines()]
    assert [row[0] for row in rows] == [str(path) for path in paths]
    assert rows[0] == rows[2]


def test_names_that_are_not_text_stay_on_their_line(folder: Path) -> None:
    bad = [b"tab\tand\nline\x1b[31m.jpg", b"latin-\xe9.jpg"]
    for name in bad:
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_bytes(encode(picture(40, 60)))
    done = subprocess.run(
        [*COMMAND, *(os.fsdecode(name) for name in bad), "nul", "--list", "-"],
        input=b"latin-\xe9.jpg\nnul\0.jpg\n",
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        timeout=60,
    )
    rows = [row.split("\t") for row in done.stdout.decode().splitlines()]
    names = ["tab?and?line?[31m.jpg", "latin-?.jpg", "nul", "latin-?.jpg", "nul?.jpg"]
    assert [row[0] for row in rows] == names
    assert [row[3] for row in rows] == ["40x60", "40x60", "-", "40x60", "-"]
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "give files or folders, or --list FILE"),
        (["--list", "nowhere.txt"], 2, "nowhere.txt"),
        (["--unknown"], 2, "No such option"),
        (["--model", "nonsense", "x.jpg"], 1, "nonsense"),
        (["x" * 5000, "{}"], 1, "unreadable: File name too long"),
        (["{}"], 1, "no image could be scored"),
    ],
)
def test_exit_codes(tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    done = CliRunner().invoke(cli, ["score", *(word.format(tmp_path) for word in arguments)])
    assert (done.exit_code, message in done.output, "Traceback" in done.output) == (code, True, False), done.output


def test_a_slow_image_holds_back_answers_but_not_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "IN_FLIGHT", 20)
    slow = draw(tmp_path, "slow.png", 0).path
    fast = draw(tmp_path, "fast.png", 50, 40).path
    named: list[Path] = []

    def paths() -> Iterator[Path]:
        for n in range(100):
            named.append(fast if n else slow)
            yield named[-1]

    with closing(Scorer(Slow(), workers=2)) as scorer:
        answers = score_files(paths(), scorer)
        assert next(answers).path == slow
        assert 10 < len(named) <= 20
        rest = list(answers)
        monkeypatch.setattr(files, "MAX_BYTES", 40)
        large = list(score_files([fast, Path("/dev/zero")], scorer))
    assert [answer.problem for answer in large] == ["too_many_bytes"] * 2
    assert [answer.path for answer in rest] == [fast] * 99
    assert all(answer.scores is not None for answer in rest)


def test_a_reader_that_goes_away(folder: Path) -> None:
    listed = "\n".join([str(folder / "b.jpg")] * 2000)
    with subprocess.Popen([*COMMAND, "--list", "-"], stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        feeder = threading.Thread(target=_feed, args=(process.stdin, listed))
        feeder.start()
        assert "300x450" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(30) != 0
        feeder.join(10)
        assert process.stderr.read() == ""


def _feed(stdin: io.TextIOBase, text: str) -> None:
    try:
        stdin.write(text)
        stdin.close()
    except BrokenPipeError:
        pass


def test_ctrl_c(folder: Path) -> None:
    listed = folder / "list.txt"
    listed.write_text("\n".join([str(folder / "b.jpg")] * 100_000))
    with subprocess.Popen([*COMMAND, "--list", str(listed)], stdout=-1, stderr=-1, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(10):
            process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the scoring processes too
        output = process.stdout.read()
        assert process.wait(30) == 1
        assert process.stderr.read().strip() == b"Aborted!"
    assert not output or output.endswith(b"\n")
    assert output.count(b"\n") < 50_000


def test_progress_on_a_terminal(folder: Path) -> None:
    """The lines go to a file and the progress, with what remains, to the terminal on stderr."""
    listed = folder / "list.txt"
    listed.write_text("\n".join([str(folder / "a" / "2.png")] * 600))
    near, far = pty.openpty()
    with (folder / "out.txt").open("wb") as out:
        process = subprocess.Popen([*COMMAND, "--list", str(listed)], stdout=out, stderr=far)
        os.close(far)
        shown = b""
        try:
            while chunk := os.read(near, 4096):
                shown += chunk
        except OSError:  # Linux says EIO when the other end is closed
            pass
        assert process.wait(30) == 0
    os.close(near)
    assert b" of 600 images" in shown
    assert b" left" in shown
    lines = (folder / "out.txt").read_text().splitlines()
    assert len(lines) == 600
    assert all(line.endswith("\t64x32") for line in lines)


def test_progress_lines() -> None:
    assert line(1200, 3000, 3) == "1,200 of 3,000 images · 400/s · 00:04 left"
    assert line(1200, None, 3) == "1,200 images · 400/s"
