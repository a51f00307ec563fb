"""What some benchmarks need beside the project: where it is looked for, and what is said where it is missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
REAL_DATA = Path(os.environ.get("POSTERBOT_REAL_DATA", ROOT.parent / "shared")).resolve()
DUMP = REAL_DATA / "wiki/multistream/realpages-multistream.xml.bz2"
IMG2DATASET = os.environ.setdefault("IMG2DATASET_PYTHON", str(ROOT / "build/img2dataset/bin/python"))


def _has_postgresql() -> bool:
    sys.path.insert(0, str(ROOT / "tests"))
    from postgres import is_installed

    return bool(is_installed())


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "nginx": (lambda: shutil.which("nginx") is not None, "nginx: apt-get install nginx-light"),
    "PostgreSQL": (_has_postgresql, "PostgreSQL: apt-get install postgresql"),
    "chromium": (lambda: shutil.which("chromium") is not None, "chromium: apt-get install chromium"),
    "img2dataset": (
        lambda: shutil.which(IMG2DATASET) is not None,
        "img2dataset: make a virtual environment with it, and name its Python in IMG2DATASET_PYTHON",
    ),
    "real data": ((REAL_DATA / "images").is_dir, "real pictures: set POSTERBOT_REAL_DATA"),
    "a dump": (DUMP.exists, "a piece of a dump: set POSTERBOT_REAL_DATA"),
}
"""What is looked for, and the line where it is missing."""
