"""The scorer: every image gets one answer, whatever happens, and never more wait than were allowed to."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest
from conftest import encode, picture
from test_decode import png_bomb

from models import worker
from models.analysis import ScoreError
from models.decode import Header, ImageProblem
from models.fitting import Fit
from models.registry import load_model
from models.scorer import BATCH, Scorer


@dataclass
class Stub:
    """A classifier that does as a test says, in the scoring process. The first score is its batch size ÷ 100."""

    trouble: str = ""
    delay: float = 0.0
    name: str = "stub"
    hash: str = "0" * 64
    labels: tuple[str, ...] = ("poster", "other")
    side: int = 32
    fit: Fit = Fit.LETTERBOX
    dimensions: int = 0
    curve: None = None

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        return self.predict(pixels), None

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        time.sleep(self.delay)
        if self.trouble == "exception":
            raise RuntimeError("out of memory\nwith details")
        if self.trouble == "exit":
            raise SystemExit(3)
        if self.trouble == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        first = float("nan") if self.trouble == "nan" else len(pixels) / 100
        return np.array([[first, 1 - first]] * len(pixels), np.float32)


def wider_than_1000(header: Header) -> bool:
    return header.width > 1000


JPEG = encode(picture())


def test_everything_about_an_image() -> None:
    model = load_model()
    scorer = Scorer(model, workers=2)
    analysis = scorer.submit(JPEG).result(20)
    scorer.close()
    assert analysis.sha256 == hashlib.sha256(JPEG).hexdigest()
    assert analysis.header == Header("JPEG", 300, 450)
    assert analysis.phash is not None
    assert len(analysis.phash) == 16
    assert analysis.scores is not None
    assert analysis.scores.shape == (len(model.labels),)
    assert analysis.model == model.hash
    assert analysis.quality is not None
    assert analysis.embedding is not None
    assert (analysis.embedding.dtype, analysis.embedding.shape) == (np.float16, (model.dimensions,))
    assert analysis.embedding.any()


@pytest.mark.parametrize(
    ("data", "problem"),
    [(b"", ImageProblem.EMPTY), (b"<html>", ImageProblem.HTML), (JPEG[:3000], ImageProblem.TRUNCATED)],
)
def test_bad_bytes_have_an_answer_too(data: bytes, problem: ImageProblem) -> None:
    scorer = Scorer(Stub(), workers=1)
    analysis = scorer.submit(data).result(20)
    scorer.close()
    assert analysis.problem is problem
    assert analysis.scores is None


def test_a_bomb_keeps_its_header() -> None:
    scorer = Scorer(Stub(), workers=1)
    analysis = scorer.submit(png_bomb()).result(20)
    scorer.close()
    assert analysis.problem is ImageProblem.TOO_MANY_PIXELS
    assert analysis.header == Header("PNG", 12_000, 12_000)


def test_unwanted_headers_are_not_decoded() -> None:
    scorer = Scorer(Stub("exception"), wanted=wider_than_1000, workers=1)
    analysis = scorer.submit(JPEG).result(20)
    scorer.close()
    assert analysis.header is not None
    assert (analysis.scores, analysis.phash) == (None, None)


def test_images_that_wait_together_are_scored_together() -> None:
    scorer = Scorer(Stub(delay=0.1), workers=1, capacity=100)
    futures = [scorer.submit(encode(picture(40, 60, seed=n))) for n in range(3 * BATCH)]
    scores = [future.result(20).scores for future in futures]
    scorer.close()
    assert max(round(float(s[0]) * 100) for s in scores if s is not None) == BATCH


def test_submitting_waits_when_the_queue_is_full() -> None:
    scorer = Scorer(Stub(delay=0.5), workers=1, capacity=4)
    sent: list[int] = []
    futures = []

    def send() -> None:
        for n in range(30):
            futures.append(scorer.submit(JPEG))
            sent.append(n)

    thread = threading.Thread(target=send)
    thread.start()
    time.sleep(0.3)
    assert len(sent) <= 4 + 2 * BATCH  # those that wait, and what the worker has taken
    thread.join(30)
    assert len([future.result(20) for future in futures]) == 30
    scorer.close()


@pytest.mark.parametrize("trouble", ["exception", "exit", "killed", "nan"])
def test_trouble_fails_the_image_not_the_scorer(trouble: str) -> None:
    scorer = Scorer(Stub(trouble), workers=1)
    for _ in range(2):
        with pytest.raises(ScoreError) as caught:
            scorer.submit(JPEG).result(20)
        assert "\n" not in str(caught.value)
    scorer.model = Stub()
    assert scorer.submit(JPEG).result(20).scores is not None
    scorer.close()


def test_a_process_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = Scorer(Stub(delay=60), workers=1)
    monkeypatch.setattr(worker, "ANSWER_SECONDS", 0.5)
    with pytest.raises(ScoreError, match="longer than"):
        scorer.submit(JPEG).result(20)
    monkeypatch.undo()
    scorer.model = Stub()
    assert scorer.submit(JPEG).result(20).scores is not None
    scorer.close()


def test_the_model_may_change_between_batches() -> None:
    first, second = Stub(hash="1" * 64), Stub(hash="2" * 64)
    scorer = Scorer(first, workers=1)
    assert scorer.submit(JPEG).result(20).model == first.hash
    scorer.model = second
    assert scorer.submit(JPEG).result(20).model == second.hash
    scorer.close()


def test_close_finishes_what_was_submitted() -> None:
    scorer = Scorer(Stub(), workers=2)
    futures = [scorer.submit(JPEG) for _ in range(40)]
    scorer.close()
    scorer.close()
    assert all(future.done() for future in futures)
    with pytest.raises(ScoreError, match="closed"):
        scorer.submit(JPEG)
