"""Waiting for something in a page. Playwright's own wait_for_function needs eval, which our pages forbid."""

from __future__ import annotations

import time
from typing import Any


def until(page: Any, true: str, seconds: float = 15) -> None:
    """Until the JavaScript expression is true; while a page is being loaded, it is not."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if page.evaluate(true):
                return
        except Exception as error:  # the page went away under it
            if time.monotonic() > deadline:
                raise
            if "context was destroyed" not in str(error) and "null" not in str(error):
                raise
        assert time.monotonic() < deadline, f"never true: {true}"
        time.sleep(0.02)
