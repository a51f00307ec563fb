"""Where on this machine a model is that the catalogue knows by its hash; no network is loaded to find out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

OWN = Path("data/models")
"""Where ``posterbot learn`` puts what it has learned."""


def find_folder(name: str, hash_: str) -> Path | None:
    """The folder of the model with that name and hash; None where there is none, or its files are others by now."""
    for folder in folders(name):
        found = identity(folder)
        if found is not None and found[0] == hash_:
            return folder
    return None


def folders(name: str) -> Iterator[Path]:
    """Where a model may be that is called so: shipped, learned here, or ``name`` is its folder."""
    from models.registry import WEIGHTS

    for folder in (WEIGHTS / name, OWN / name, Path(name)):
        if name and (folder / "model.toml").is_file():
            yield folder


def identity(folder: Path) -> tuple[str, str] | None:
    """The hash of the model in ``folder``, and that of the one whose features it reads: its own, where it is no head.

    None where it cannot be told: files are missing or damaged, or it is a SavedModel, or has to be downloaded.
    """
    from models.classifier import ModelError
    from models.declaration import Keys, Kind, read_declaration, read_toml

    declared = folder / "model.toml"
    try:
        card = read_toml(declared)
        if card.get("kind") == "taught":
            keys = Keys(str(declared), card)
            base = keys.text("base_hash")
            head = (folder / keys.text("head")).read_bytes()
            return hashlib.sha256(base.encode() + head).hexdigest(), base
        declaration = read_declaration(declared, card)
        if declaration.kind is Kind.SAVEDMODEL:
            return None
        weights = hashlib.sha256((folder / declaration.file).read_bytes()).hexdigest()
    except (ModelError, OSError):
        return None
    found = declaration.usage.identity(weights)
    return found, found


def curve_of(name: str, hash_: str) -> Path | None:
    """The curve of precision and recall that lies beside a model (:mod:`models.curve`); None where there is none."""
    folder = find_folder(name, hash_)
    curve = None if folder is None else folder / "curve.json"
    return curve if curve is not None and curve.is_file() else None
