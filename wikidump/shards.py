"""The folder of a run's shards, by which it can be taken up again: what it belongs to, and which units are done."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from wikidump.dump import Dump
from wikidump.units import Unit

MANIFEST = "manifest.json"


class ResumeError(Exception):
    """The folder of shards is another run's: one line that says what to do."""


def folder_of(out: Path) -> Path:
    """Where the shards of a run that writes ``out`` lie."""
    return out.with_name(out.name + ".shards")


def prepare(folder: Path, dumps: list[Dump], units: list[Unit], options: dict[str, Any], resume: bool) -> None:
    """Make the folder of shards, or take the one up that is there.

    Raises:
        ResumeError: there is one, and ``resume`` is not set; or it is of other files, options, or another version.
        OSError: it cannot be made.
    """
    manifest = {
        "program": _program(),
        "files": [dump.source.stamp for dump in dumps],
        "units": [{**asdict(unit), "source": ""} for unit in units],
        **options,
    }
    text = json.dumps(manifest, sort_keys=True)
    if folder.exists():
        if not resume:
            raise ResumeError(f"{folder} has the work of a run that did not end: add --resume to go on, or delete it")
        if (folder / MANIFEST).exists():
            if (folder / MANIFEST).read_text() != text:
                raise ResumeError(
                    f"cannot resume: the dump, the options or the program changed since; delete {folder} to start again"
                )
            for left in folder.glob("*/.*.part"):
                left.unlink()
            return
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / f".{MANIFEST}").write_text(text)
    (folder / f".{MANIFEST}").rename(folder / MANIFEST)


def _program() -> str:
    """A digest of this package with its tables: shards of two versions do not mix."""
    digest = hashlib.sha1(usedforsecurity=False)
    for folder in (files("wikidump"), files("wikidump") / "tables"):
        for file in sorted(folder.iterdir(), key=lambda each: each.name):
            if file.is_file():
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
