# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of one NIC and its CPUs over one window. Plain data; what was not seen is None, never zero."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import FrozenSet, Mapping, Optional, Tuple

from ..counters.table import Counter


@dataclass(frozen=True)
class CpuUse:
    """Shares of the window, 0 to 1. ``squeezed``: how often the softirq ended with packets left."""

    softirq: float
    idle: float
    stolen: float
    squeezed: int = 0
    backlog_dropped: int = 0


@dataclass(frozen=True)
class Program:
    """What the NIC carries, with all that it jumps to. ``runs`` in the window, ``nanoseconds`` for them on all CPUs."""

    runs: int
    nanoseconds: int

    @property
    def each(self) -> float:
        """Nanoseconds of one run."""
        return self.nanoseconds / self.runs if self.runs else 0.0


@dataclass(frozen=True)
class Pcie:
    """GT/s and lanes, now and at most. ``errors`` that the NIC reported in the window, corrected ones too; ``stalled``
    seconds of it in which writes to memory waited for the bus; None where that is not told."""

    speed: float
    width: int
    max_speed: float
    max_width: int
    errors: Optional[int] = None
    stalled: Optional[int] = None

    @property
    def narrowed(self) -> bool:
        return 0 < self.speed < self.max_speed or 0 < self.width < self.max_width


@dataclass(frozen=True)
class Pause:
    """Pause frames in the window. ``sent``: the NIC asked its peer to wait. ``received``: the peer asked the NIC."""

    sent: int
    received: int


@dataclass(frozen=True)
class Stall:
    """How a CPU was kept from running: ``longest`` seconds at one time. ``gaps``, in classes of like length: seconds
    together, and how many."""

    longest: float
    gaps: Tuple[Tuple[float, int], ...] = ()

    @property
    def late(self) -> float:
        return sum(seconds for seconds, times in self.gaps)

    def lost(self, rate: float, room: int) -> int:
        """Frames that come at ``rate`` a second in these gaps and find no room."""
        return sum(max(0, int(seconds * rate) - times * room) for seconds, times in self.gaps)


CLOCK_S = 1.5
"""The hardware's clock tells whole seconds, so two readings of it are a second unsure."""


@dataclass(frozen=True)
class Clocks:
    """Seconds of the hardware's clock, of the kernel's that nobody sets, and of the day's, at one time."""

    hardware: int
    monotonic: float
    day: float

    @property
    def agree(self) -> bool:
        return abs(self.hardware - self.day) < CLOCK_S

    def still(self, later: Clocks) -> Optional[float]:
        """How long the machine stood still until ``later``; None when its hardware clock was set meanwhile, which the
        kernel does by the day's (kernel/time/ntp.c sync_hw_clock)."""
        if later.agree and not self.agree:
            return None
        return max(0.0, later.hardware - self.hardware - (later.monotonic - self.monotonic))


@dataclass(frozen=True)
class Waits:
    """How long the receive softirq of a CPU waited from the moment it was asked for. ``slots``: how often, where the
    n-th is below 2^n microseconds and not in an earlier one."""

    slots: Tuple[int, ...]

    @property
    def times(self) -> int:
        return sum(self.slots)

    def below(self, share: float) -> float:
        """Seconds below which this share of them stayed, rounded up to a power of two."""
        told, left = 0, share * self.times
        for slot, count in enumerate(self.slots):
            told += count
            if count and told >= left:
                return float(2**slot / 1e6)
        return 0.0


@dataclass(frozen=True)
class Deep:
    """``reasons``: packets that the stack dropped, by the kernel's name of the reason. ``waits`` by CPU. ``polls`` of
    the NIC's queues, and how many of them were ``full``: they ended with frames left."""

    reasons: Mapping[str, int]
    waits: Mapping[int, Waits]
    polls: int
    full: int


@dataclass(frozen=True)
class Evidence:
    """``grown`` are the unified counters that are told. ``queues``: frames by receive queue; ``queue_cpus`` who takes
    its interrupts, by queue. ``ring`` and ``ring_most`` are descriptors. ``verdicts`` packets by the pipeline's
    verdict, ``actions`` by XDP action. ``redirect_errors`` by errno. ``stalls`` by CPU. ``stood_still``: seconds that
    the hardware's clock went on without the kernel's. ``deep``: what bcc's probes saw. ``unseen`` are sentences."""

    nic: str
    driver: str
    seconds: float
    grown: Mapping[Counter, int] = field(default_factory=dict)
    queues: Mapping[int, int] = field(default_factory=dict)
    queue_cpus: Mapping[int, FrozenSet[int]] = field(default_factory=dict)
    cpus: Mapping[int, CpuUse] = field(default_factory=dict)
    ring: Optional[int] = None
    ring_most: Optional[int] = None
    carrier_changes: int = 0
    pcie: Optional[Pcie] = None
    program: Optional[Program] = None
    verdicts: Mapping[str, int] = field(default_factory=dict)
    actions: Mapping[str, int] = field(default_factory=dict)
    exceptions: Optional[int] = None
    redirect_errors: Optional[Mapping[int, int]] = None
    pause: Optional[Pause] = None
    stalls: Optional[Mapping[int, Stall]] = None
    stood_still: Optional[float] = None
    deep: Optional[Deep] = None
    unseen: Tuple[str, ...] = ()

    def count(self, counter: Counter) -> int:
        """0 also where it is not told: for sums over what is known."""
        return self.grown.get(counter, 0)

    @property
    def lost(self) -> int:
        """Good frames that the NIC and its rings lost."""
        return self.count(Counter.NIC_DROP) + self.count(Counter.HOST_DROP)

    @property
    def imbalance(self) -> float:
        """The busiest queue beside the mean; 1 for one queue, or without frames."""
        total = sum(self.queues.values())
        return max(self.queues.values()) * len(self.queues) / total if total else 1.0

    @property
    def hottest(self) -> Optional[int]:
        """The queue with the most frames."""
        return max(self.queues, key=lambda queue: self.queues[queue]) if sum(self.queues.values()) else None

    @property
    def serving(self) -> FrozenSet[int]:
        """CPUs that take interrupts of the NIC's queues; all where that is not told."""
        told = frozenset(cpu for cpus in self.queue_cpus.values() for cpu in cpus)
        return told & frozenset(self.cpus) or frozenset(self.cpus)

    def busy(self, cpu: int) -> float:
        """The share of its time that a CPU spent in softirq. The kernel samples that by ticks, which miss short
        softirqs; of the program it times each run, so the larger of both counts."""
        ran = self.program.nanoseconds * self.share(cpu) / (self.seconds * 1e9) if self.program and self.seconds else 0
        return min(1.0, max(self.cpus[cpu].softirq, ran))

    def share(self, cpu: int) -> float:
        """Of the frames, those of the queues that this CPU takes; those of a queue of several CPUs in equal parts."""
        total = sum(self.queues.values())
        if not total or not self.queue_cpus:
            return 1.0 / len(self.serving) if cpu in self.serving else 0.0
        of = (count / len(self.queue_cpus[q]) for q, count in self.queues.items() if cpu in self.queue_cpus.get(q, ()))
        return sum(of) / total

    @property
    def busiest(self) -> Optional[int]:
        """Of the CPUs that serve the NIC, the one with the largest share in softirq."""
        return max(self.serving, key=self.busy) if self.serving else None

    @property
    def kept(self) -> Optional[int]:
        """Of the CPUs that serve the NIC, the one that was kept from running longest at a time."""
        told = {cpu: self.stalls[cpu].longest for cpu in self.serving if cpu in self.stalls} if self.stalls else {}
        return max(told, key=lambda cpu: told[cpu]) if told else None

    def explained(self, cpu: int) -> int:
        """Frames that were lost since this CPU was kept from running, at the mean rate: what came meanwhile and found
        no room in the ring. 0 where the size of the ring is not known."""
        if self.ring is None or not self.stalls or not self.seconds:
            return 0
        return min(self.lost, self.stalls[cpu].lost(self.arriving(cpu), self.ring))

    def arriving(self, cpu: int) -> float:
        """Frames a second for this CPU, with those that were lost."""
        taken = self.count(Counter.DRIVER_PACKETS) or self.count(Counter.WIRE_PACKETS)
        return (taken + self.lost) * self.share(cpu) / self.seconds if self.seconds else 0.0
