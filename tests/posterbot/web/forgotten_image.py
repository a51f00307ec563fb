"""An image that somebody asked to forget, while its page is open."""

from __future__ import annotations

from serve_world import World

from posterbot.upkeep.forget import forget
from posterbot.upkeep.forget_rows import find, read_wanted


def forget_image(world: World, sha256: str) -> None:
    """As ``posterbot forget --sha256`` does."""
    found = find(world.engine, read_wanted(sha256s=[sha256]))
    forget(world.engine, found, [world.store], world.folder / "spool", world.folder / "reports")
