# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine itself: kernel release, processors by NUMA node, memory. From procfs and sysfs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Set

from ..model.node import Kernel

_CPU = Path("/sys/devices/system/cpu")
_NUMA = Path("/sys/devices/system/node")


@dataclass(frozen=True)
class Host:
    """``cpus_possible`` is the kernel's nr_cpu_ids: what drivers size their XDP queues by."""

    kernel: Kernel
    boot_id: str
    cpus_possible: int
    cpus_online: int
    cpus_by_numa: Dict[int, int]
    ram_mib: int


def read() -> Host:
    online = cpu_list(_text(_CPU / "online"))
    return Host(
        kernel=parse_release(os.uname().release),
        boot_id=_text(Path("/proc/sys/kernel/random/boot_id")),
        cpus_possible=max(cpu_list(_text(_CPU / "possible"))) + 1,
        cpus_online=len(online),
        cpus_by_numa=_by_numa(online),
        ram_mib=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20,
    )


def parse_release(release: str) -> Kernel:
    """``6.12.107+deb13-amd64`` to version (6, 12); (0, 0) where the release has no such form."""
    match = re.match(r"(\d+)\.(\d+)", release)
    return Kernel(release, (int(match[1]), int(match[2])) if match else (0, 0))


def cpu_list(text: str) -> Set[int]:
    """The kernel's list format: ``0-3,8`` to {0, 1, 2, 3, 8} (lib/bitmap-str.c bitmap_parselist)."""
    cpus: Set[int] = set()
    for part in filter(None, text.split(",")):
        first, dummy, last = part.partition("-")
        cpus.update(range(int(first), int(last or first) + 1))
    return cpus


def _by_numa(online: Set[int]) -> Dict[int, int]:
    """Online CPUs per NUMA node; one node 0 with all of them on a machine without NUMA."""
    counts = {}
    for directory in sorted(_NUMA.glob("node[0-9]*")):
        counts[int(directory.name[4:])] = len(cpu_list(_text(directory / "cpulist")) & online)
    return counts or {0: len(online)}


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
