"""Exports of an :class:`ExportWorld`, and what they left."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from export_world import AT, ExportWorld

from posterbot.export.export import Exported, export
from posterbot.export.lockfile import NAME, Lockfile
from posterbot.export.options import Options


def made(world: ExportWorld, out: Path | str, format: str = "csv", **more: Any) -> Exported:
    """An export in this process, unless it is told otherwise."""
    call = {name: more.pop(name) for name in ("resume", "today") if name in more}
    workers = more.pop("workers", 1)
    options = Options(format, **more)
    return export(world.engine, world.store.name, options, str(out), workers=workers, **{"today": AT} | call)


def tree(folder: Path) -> dict[str, str]:
    """Path → sha256 of all files below a folder."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def lock_of(folder: Path) -> Lockfile:
    return Lockfile(folder / NAME)
