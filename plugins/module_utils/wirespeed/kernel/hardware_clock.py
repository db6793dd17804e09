# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock that goes on while the machine does not: sysfs of the first real-time clock (drivers/rtc/sysfs.c)."""

from __future__ import annotations

from pathlib import Path

from .netdev_sysfs import read

_FILE = Path("/sys/class/rtc/rtc0/since_epoch")


def hardware_clock() -> int:
    """Whole seconds. Raises :class:`~..errors.NotSupported` on a machine without such a clock."""
    return int(read(_FILE))
