"""Is the picture large enough to be of use? Asked of the header, before any pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from models.decode import Header
from posterbot.reasons import Reason


@dataclass(frozen=True, slots=True)
class MinimumSize:
    """Keeps images of at least ``width`` × ``height`` pixels."""

    width: int
    height: int

    def __call__(self, header: Header) -> tuple[bool, Reason]:
        """(True, RELEVANT) or (False, TOO_SMALL)."""
        if not self.accepts(header):
            return False, Reason.TOO_SMALL
        return True, Reason.RELEVANT

    def accepts(self, header: Header) -> bool:
        """Only the yes or no."""
        return header.width >= self.width and header.height >= self.height
