"""The telnet console: names that people type, answered in plain lines, also some time later."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

from posterbot.steering.labels import PolicyError

if TYPE_CHECKING:
    from posterbot.steering.control import Control

NAMES = ("labels", "threshold", "top", "model", "status", "pause", "resume", "hosts", "policies")
"""Methods of ``Control`` that may be typed without more."""
HELP = """\
labels() threshold() top() model()    show what is asked of an image; with a value, change it: labels("poster, card")
status() hosts() policies()           how it goes
pause() resume()                      no new pages for a while
"""


class Answer(str):
    """Text that is shown as it is, where a string would be shown in quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def console() -> Callable[[str], None] | None:
    """Shows a text at the telnet console that is calling, above its prompt, some time later; None: none is calling.

    While a console runs what was typed, it stands in for standard output.
    """
    add = getattr(getattr(sys.stdout, "o", None), "addOutput", None)
    if add is None:
        return None

    def later(text: str) -> None:
        with suppress(AttributeError, OSError):  # who asked has hung up
            add(text, True)

    return later


def show(text: str) -> bool:
    """Show ``text`` at the telnet console that is calling, now; False where none is."""
    if console() is None:
        return False
    sys.stdout.write(text)
    return True


def refused(error: PolicyError) -> Answer:
    """The one line for a wrong value."""
    return Answer(f"PolicyError: {error}; nothing has changed")


@contextmanager
def answering() -> Iterator[None]:
    """A wrong value is one line at the console that is calling; where none is, it raises PolicyError as ever."""
    try:
        yield
    except PolicyError as error:
        if not show(refused(error)):
            raise


def names(control: Control) -> dict[str, Callable[..., object]]:
    """Name → what it calls: a wrong value is answered with one line, not with a traceback."""
    return {name: _answering(getattr(control, name)) for name in NAMES}


def _answering(method: Callable[..., object]) -> Callable[..., object]:
    @wraps(method)
    def call(*arguments: Any, **named: Any) -> object:
        try:
            return method(*arguments, **named)
        except PolicyError as error:
            return refused(error)

    return call
