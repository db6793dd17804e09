# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time of each CPU went since boot: /proc/stat (fs/proc/stat.c, 6.12)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict

from .netdev_sysfs import read

_FILE = Path("/proc/stat")
_IDLE, _IOWAIT, _SOFTIRQ, _STEAL, _TOLD = 3, 4, 6, 7, 8


@dataclass(frozen=True)
class CpuTime:
    """In ticks. ``stolen``: a hypervisor ran something else. Guests' time is in the others already."""

    softirq: int
    idle: int
    stolen: int
    total: int

    def __sub__(self, earlier: CpuTime) -> CpuTime:
        return CpuTime(
            self.softirq - earlier.softirq,
            self.idle - earlier.idle,
            self.stolen - earlier.stolen,
            self.total - earlier.total,
        )


def cpu_time() -> Dict[int, CpuTime]:
    """By CPU that is online."""
    return parse(read(_FILE))


def parse(text: str) -> Dict[int, CpuTime]:
    found = {}
    for line in text.splitlines():
        name, *columns = line.split()
        if name.startswith("cpu") and name != "cpu":
            ticks = [int(column) for column in columns[:_TOLD]]
            found[int(name[3:])] = CpuTime(ticks[_SOFTIRQ], ticks[_IDLE] + ticks[_IOWAIT], ticks[_STEAL], sum(ticks))
    return found
