# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until NICs that a plan bounced have their carrier back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Iterable, List

PATIENCE = 30.0
"""Seconds. Autonegotiation of copper takes 2 to 4, of some optics with training up to 20."""

_LOOK_AGAIN = 0.05


def wait_for_carrier(names: Iterable[str], patience: float = PATIENCE) -> List[str]:
    """Returns the names that are still without carrier when ``patience`` seconds are over."""
    waiting = list(names)
    deadline = time.monotonic() + patience
    while waiting and time.monotonic() < deadline:
        waiting = [name for name in waiting if not has_carrier(name)]
        if waiting:
            time.sleep(_LOOK_AGAIN)
    return waiting


def has_carrier(name: str) -> bool:
    """False also while the interface is down: its carrier then reads EINVAL (net-sysfs.c)."""
    try:
        return Path("/sys/class/net", name, "carrier").read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False
