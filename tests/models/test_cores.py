from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.cores import usable_cores

HERE = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", HERE),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("100000000 100000", HERE),
        ("0 100000", 1),
        ("100000 0", HERE),
        ("nonsense", HERE),
        ("", HERE),
    ],
)
def test_a_quota_bounds_the_cores(tmp_path: Path, quota: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    assert usable_cores(tmp_path / "cpu.max") == cores


def test_no_quota_is_no_bound(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "missing") == HERE
