# SPDX-License-Identifier: GPL-3.0-or-later
"""How the processors save power: frequency governors and idle states, from sysfs. Read, never changed."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from ..model.node import CpuIdle
from .host import cpu_list

_CPU = Path("/sys/devices/system/cpu")
_LATENCY_LIMIT = Path("/dev/cpu_dma_latency")


def governors() -> Dict[str, int]:
    """Governor -> CPUs under it; empty where nothing here sets a frequency, as in most virtual machines.

    Two reads for each policy. intel_pstate has one policy for each CPU: 256 reads on 128 CPUs.
    """
    counts: Dict[str, int] = {}
    for policy in _CPU.glob("cpufreq/policy[0-9]*"):
        governor, cpus = _text(policy / "scaling_governor"), _text(policy / "affected_cpus")
        if governor and cpus:  # a policy whose CPUs are all offline has none
            counts[governor] = counts.get(governor, 0) + len(cpus.split())
    return counts


def idle() -> Optional[CpuIdle]:
    """The deepest state that the first running CPU may enter; None without a cpuidle driver.

    What a latency request (PM QoS, tuned's force_latency) forbids on all CPUs is left out
    (drivers/cpuidle/governors, kernel/power/qos.c cpu_latency_qos_limit, Linux 6.1 to 7.2).
    """
    driver = _text(_CPU / "cpuidle/current_driver")
    first = min(cpu_list(_text(_CPU / "online")), default=0)
    states = _states(_CPU / f"cpu{first}/cpuidle")
    if driver in ("", "none") or not states:
        return None
    limit = _latency_limit()
    allowed = [state for state in states if limit is None or state[0] <= limit] or states[:1]
    latency, name = max(allowed)
    return CpuIdle(driver, name, latency)


def _states(folder: Path) -> List[Tuple[int, str]]:
    """Exit latency in microseconds and name of each state that is not disabled."""
    found = []
    for state in sorted(folder.glob("state[0-9]*")):
        latency = _text(state / "latency")
        if _text(state / "disable") == "0" and latency.isdecimal():
            found.append((int(latency), _text(state / "name")))
    return found


def _text(path: Path) -> str:
    """Empty for what is not there, or no longer."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _latency_limit() -> Optional[int]:
    """Microseconds. Opening it for reading asks for nothing; only root may."""
    try:
        raw = _LATENCY_LIMIT.read_bytes()[:4]
    except OSError:
        return None
    return int(struct.unpack("=i", raw)[0]) if len(raw) == 4 else None
