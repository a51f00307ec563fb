"""How many processor cores this process may use: not all that the machine has, in a container."""

from __future__ import annotations

import math
import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Of a control group (Linux, cgroup v2): microseconds in each period, and the period; ``max``: no limit."""


def usable_cores(quota: Path = QUOTA) -> int:
    """At least 1."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        cores = os.cpu_count() or 1
    try:
        allowed, period = map(float, quota.read_text().split())
        cores = min(cores, math.ceil(allowed / period))
    except (OSError, ValueError, ZeroDivisionError):
        pass
    return max(cores, 1)
