"""One scoring process: batches of files come in over a socket, answers go back, until the other end closes.

A process and not a thread, because decoding and scoring take Python's global lock some twenty times an image, and
the event loop of a crawl wants the same lock; and because the web sends files that bring native decoders down.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection

from models.analysis import Analysis, ScoreError, analyse
from models.classifier import Classifier
from models.decode import Header

ANSWER_SECONDS = 120.0
"""A batch that takes longer hangs; the process is then killed."""


class Worker:
    """The near end of a scoring process. Belongs to one thread.

    Args:
        wanted: see :func:`models.analysis.analyse`; must be picklable.
        max_pixels: likewise.
    """

    def __init__(self, wanted: Callable[[Header], bool], max_pixels: int) -> None:
        near, far = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from models.worker import serve; serve({far.fileno()})"],
            pass_fds=[far.fileno()],
            # What can be unpickled here can be unpickled there.
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        far.close()
        self._connection = Connection(near.detach())
        self._model: Classifier | None = None
        self._connection.send((wanted, max_pixels))

    def analyse(self, images: list[bytes], model: Classifier) -> list[Analysis | ScoreError]:
        """As :func:`models.analysis.analyse`.

        Raises:
            ScoreError: the process died or hangs; this object is then of no more use.
        """
        try:
            # The model travels once; it says itself how it is rebuilt (its file's name, not its weights).
            self._connection.send((None if model is self._model else model, images))
            self._model = model
            if not self._connection.poll(ANSWER_SECONDS):
                self._process.kill()
                raise ScoreError(f"scoring took longer than {ANSWER_SECONDS:.0f} seconds")
            answers: list[Analysis | ScoreError] = self._connection.recv()
        except (EOFError, OSError):
            self._connection.close()
            raise ScoreError(f"the scoring process died (exit code {self._process.wait(10)})") from None
        return answers

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.wait(10)


def serve(descriptor: int) -> None:
    """The far end: runs in the process of its own."""
    # Ctrl-C reaches the whole process group; the crawl decides when this ends, by closing the connection.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Connection(descriptor) as connection:
        wanted, max_pixels = connection.recv()
        model: Classifier | None = None
        while True:
            try:
                new, images = connection.recv()
            except EOFError:
                return
            model = model if new is None else new
            assert model is not None
            try:
                answers = analyse(images, model, wanted, max_pixels)
            except Exception as error:
                failure = ScoreError(f"{type(error).__name__}: {error}".splitlines()[0])
                answers = [failure for _ in images]
            connection.send(answers)
