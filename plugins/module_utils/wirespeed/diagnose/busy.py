# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a CPU has time left, and the evidence on losses and CPUs in words. Pure."""

from __future__ import annotations

from typing import Iterator, Optional

from ..counters.table import Counter
from .evidence import Evidence

BUSY = 0.9
"""The share of a CPU's time in softirq from which it has none left; the rest is the kernel's own housekeeping."""

SQUEEZED_EACH_S = 10


def hot_cpu(seen: Evidence) -> Optional[int]:
    """The busiest CPU that serves the NIC, where it has no time left."""
    cpu = seen.busiest
    return cpu if cpu is not None and worn_out(seen, cpu) else None


def worn_out(seen: Evidence, cpu: int) -> bool:
    squeezed = seen.cpus[cpu].squeezed > SQUEEZED_EACH_S * seen.seconds
    return seen.busy(cpu) >= (BUSY / 2 if squeezed else BUSY)


def losses(seen: Evidence) -> Iterator[str]:
    for counter, text in (
        (Counter.HOST_DROP, "frames found no descriptor or no memory (host_drop)"),
        (Counter.NIC_DROP, "frames were lost in the NIC's own buffer (nic_drop)"),
    ):
        if seen.count(counter):
            yield f"{seen.count(counter)} {text}"


def cpu_words(seen: Evidence, cpu: int) -> str:
    use = seen.cpus[cpu]
    squeezed = f", and ended with packets left {use.squeezed} times" if use.squeezed else ""
    return f"CPU {cpu} spent {seen.busy(cpu):.0%} of the time in softirq{squeezed}"


def idle_words(seen: Evidence) -> str:
    cpu = seen.busiest
    if cpu is None:
        return "how busy the CPUs were is not known"
    return f"the busiest CPU that serves it, {cpu}, spent {seen.busy(cpu):.0%} of the time in softirq"
