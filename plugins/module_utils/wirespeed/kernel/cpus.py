# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of processors: the kernel's notations, and the order in which a NIC's queues should take them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Iterable, List, Set, Tuple

from .host import cpu_list

_CPU = Path("/sys/devices/system/cpu")
_NUMA = Path("/sys/devices/system/node")


def list_text(cpus: Iterable[int]) -> str:
    """{0, 1, 2, 8} to ``0-2,8``; empty for no processor. The inverse of :func:`~.host.cpu_list`."""
    runs: List[List[int]] = []
    for cpu in sorted(cpus):
        if runs and cpu == runs[-1][1] + 1:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def mask_of(text: str) -> Set[int]:
    """``00000001,00000003`` to {0, 1, 32}: hexadecimal words of 32 bits, the highest first."""
    bits = int(text.replace(",", ""), 16)
    return {cpu for cpu in range(bits.bit_length()) if bits >> cpu & 1}


def mask_text(cpus: Iterable[int]) -> str:
    """The inverse of :func:`mask_of`."""
    bits = sum(1 << cpu for cpu in cpus)
    words = [f"{bits & 0xFFFFFFFF:08x}"]
    while bits >> 32:
        bits >>= 32
        words.insert(0, f"{bits & 0xFFFFFFFF:08x}")
    return ",".join(words)


def by_distance(numa_node: int) -> Tuple[Tuple[int, ...], Tuple[int, ...]]:
    """Running processors on ``numa_node``, and all, those first.

    Of each core one thread comes before any second one. A node of -1, or one without running
    processors, stands for the whole machine.
    """
    return _by_distance(numa_node, (_CPU / "online").read_text(encoding="ascii").strip())


@lru_cache(maxsize=64)
def _by_distance(numa_node: int, online: str) -> Tuple[Tuple[int, ...], Tuple[int, ...]]:
    running = cpu_list(online)
    here = (_node_cpus(numa_node) & running) or running
    ordered = sorted(running, key=lambda cpu: (cpu not in here, _thread(cpu), cpu))
    return tuple(cpu for cpu in ordered if cpu in here), tuple(ordered)


def _node_cpus(numa_node: int) -> Set[int]:
    try:
        return cpu_list((_NUMA / f"node{numa_node}" / "cpulist").read_text(encoding="ascii").strip())
    except OSError:
        return set()


def _thread(cpu: int) -> int:
    """0 for the first thread of a core, 1 for its second; 0 where the platform does not tell."""
    try:
        text = (_CPU / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text(encoding="ascii").strip()
    except OSError:
        return 0
    return sorted(cpu_list(text) | {cpu}).index(cpu)
