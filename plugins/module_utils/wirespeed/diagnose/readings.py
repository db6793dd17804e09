# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at one NIC, its CPUs, its pipeline and the kernel's XDP tracepoints at both ends of a window."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Tuple, TypeVar

from ..counters.report import CounterReport
from ..counters.table import Counter
from ..counters.verify import Subject, Watch
from ..errors import KernelRefusal, MissingPrerequisite, NotSupported, WirespeedError
from ..kernel import bpf_stats, interrupts, rtnetlink
from ..kernel.cpu_time import CpuTime, cpu_time
from ..kernel.hardware_clock import hardware_clock
from ..kernel.pause_frames import PauseFrames
from ..kernel.port import Port
from ..kernel.softnet import WIDTH, Softnet, softnet
from ..model.nic import Nic
from ..model.settings import Setting
from ..pipeline.pins import Paths
from . import beside
from .deep import DeepProbes
from .evidence import Clocks, CpuUse, Evidence, Pause, Pcie, Program
from .lateness import Lateness
from .xdp_errors import Event, XdpErrors

_T = TypeVar("_T")
DEEP = "why the stack drops, and how late its softirqs begin"


@dataclass
class Looking:
    """A window over one NIC. ``xdp_errors`` and ``late`` are the objects of that name; ``unseen`` collects what could
    not be looked at, and why; ``deep`` says whether bcc's probes are asked for."""

    who: Subject
    paths: Paths
    kernel: Tuple[int, int]
    xdp_errors: bytes
    late: bytes
    deep: bool = False
    unseen: List[str] = field(default_factory=list)

    def watch(self, meanwhile: Callable[[], None]) -> Evidence:
        """As long as ``meanwhile`` takes. Raises KernelRefusal when the NIC goes."""
        nic = self.who.nic
        pipeline = nic.xdp.pipeline if nic.xdp else None
        with ExitStack() as stack:
            errors = self._try(partial(stack.enter_context, XdpErrors(self.xdp_errors, nic.ifindex)), "XDP tracepoints")
            late = self._try(partial(stack.enter_context, Lateness(self.late, cpu_time())), "whether CPUs were kept")
            deep = self._try(partial(stack.enter_context, DeepProbes(nic.ifindex)), DEEP) if self.deep else None
            counted = self._try(partial(stack.enter_context, bpf_stats.Counting()), "what the program costs")
            counters = Watch.begin([self.who], self.kernel, self.paths, pipeline)
            before = self._host(nic, counted is not None)
            meanwhile()
            after = self._host(nic, counted is not None)
            stalls = late.stalls() if late else None
            probed = deep.seen() if deep else None
            report = counters.end()
            failed = errors.frames() if errors else None
        return replace(self._evidence(report, before, after, failed), stalls=stalls, deep=probed)

    def _host(self, nic: Nic, counted: bool) -> "_Host":
        runs = None
        if counted and nic.xdp is not None:
            runs = self._try(lambda: bpf_stats.runs(nic.xdp.prog_id), "what the program costs")  # type: ignore[union-attr]
        return _Host(
            times=cpu_time(),
            softnets=softnet(),
            runs=runs,
            carrier_changes=rtnetlink.link(nic.ifindex).carrier_changes or 0,
            at=time.monotonic(),
            clocks=self._try(_clocks, "whether the machine was paused"),
            pause=self._pause(nic),
            bus=beside.bus(nic),
        )

    def _evidence(
        self, report: CounterReport, before: "_Host", after: "_Host", failed: Optional[Mapping[Tuple[Event, int], int]]
    ) -> Evidence:
        nic = self.who.nic
        (told,) = report.nics
        self.unseen += [f"counters: {reason}" for reason in told.window.invalid]
        spans = told.window.spans
        frames = spans[Counter.DRIVER_PACKETS]
        verdicts = report.pipeline.verdicts if report.pipeline else None
        if report.pipeline and report.pipeline.problem:
            self.unseen.append(report.pipeline.problem)
        return Evidence(
            nic=nic.name,
            driver=nic.driver,
            seconds=after.at - before.at,
            grown={counter: span.high for counter, span in spans.items() if span.high is not None},
            queues={queue: high for queue, (dummy, high) in frames.queues.items()},
            queue_cpus=self._queue_cpus(nic),
            cpus=_uses(before, after),
            ring=_number(nic, Setting.RINGS, "rx"),
            ring_most=nic.settings[Setting.RINGS].maxima.get("rx") if Setting.RINGS in nic.settings else None,
            carrier_changes=after.carrier_changes - before.carrier_changes,
            pcie=_pcie(nic, before, after),
            pause=_pause(before, after),
            stood_still=_stood_still(before, after),
            program=_program(before, after),
            verdicts={name: count.packets for name, count in verdicts.counts.items()} if verdicts else {},
            actions=dict(verdicts.actions) if verdicts else {},
            exceptions=None if failed is None else _sum(failed, Event.EXCEPTION),
            redirect_errors=None if failed is None else _redirect_errors(failed),
            unseen=tuple(dict.fromkeys(self.unseen)),
        )

    def _queue_cpus(self, nic: Nic) -> Dict[int, FrozenSet[int]]:
        port = Port(nic.name, nic.ifindex)
        vectors = self._try(lambda: interrupts.queues(port), "which CPU takes which queue") or []
        return {
            queue: frozenset(cpu for vector in each for cpu in interrupts.serving(vector))
            for queue, each in enumerate(vectors)
        }

    def _pause(self, nic: Nic) -> Optional[PauseFrames]:
        found = self._try(lambda: beside.pause(nic), "pause frames")
        if found is None:
            self.unseen.append(f"pause frames: {nic.driver} tells none")
        return found

    def _try(self, look: Callable[[], _T], what: str) -> Optional[_T]:
        try:
            return look()
        except (NotSupported, KernelRefusal, MissingPrerequisite) as lacking:
            self.unseen.append(f"{what}: {lacking}")
        except WirespeedError as lacking:
            self.unseen.append(f"{what}: {lacking.problem}")
        return None


@dataclass(frozen=True)
class _Host:
    times: Mapping[int, CpuTime]
    softnets: Mapping[int, Softnet]
    runs: Optional[bpf_stats.Runs]
    carrier_changes: int
    at: float
    clocks: Optional[Clocks]
    pause: Optional[PauseFrames]
    bus: beside.Bus


def _uses(before: _Host, after: _Host) -> Dict[int, CpuUse]:
    """Of the CPUs that were there at both ends."""
    found = {}
    for cpu in before.times.keys() & after.times.keys():
        spent = after.times[cpu] - before.times[cpu]
        total = max(1, spent.total)
        one, other = before.softnets.get(cpu), after.softnets.get(cpu)
        found[cpu] = CpuUse(
            softirq=spent.softirq / total,
            idle=spent.idle / total,
            stolen=spent.stolen / total,
            squeezed=_since(one.squeezed, other.squeezed) if one and other else 0,
            backlog_dropped=_since(one.dropped, other.dropped) if one and other else 0,
        )
    return dict(sorted(found.items()))


def _since(earlier: int, later: int) -> int:
    return (later - earlier) % (1 << WIDTH)


def _program(before: _Host, after: _Host) -> Optional[Program]:
    if before.runs is None or after.runs is None or after.runs.count < before.runs.count:
        return None
    return Program(after.runs.count - before.runs.count, after.runs.nanoseconds - before.runs.nanoseconds)


def _sum(failed: Mapping[Tuple[Event, int], int], wanted: Event) -> int:
    return sum(count for (event, dummy), count in failed.items() if event is wanted)


def _redirect_errors(failed: Mapping[Tuple[Event, int], int]) -> Dict[int, int]:
    found: Dict[int, int] = {}
    for (event, number), count in failed.items():
        if event is not Event.EXCEPTION:
            found[number] = found.get(number, 0) + count
    return found


def _number(nic: Nic, setting: Setting, key: str) -> Optional[int]:
    facts = nic.settings.get(setting)
    value: Any = facts.values.get(key) if facts else None
    return value if isinstance(value, int) else None


def _pcie(nic: Nic, before: _Host, after: _Host) -> Optional[Pcie]:
    pci = nic.pci
    if pci is None or not pci.max_link_speed or not pci.link_speed:
        return None
    errors, stalled = _grown(before.bus.errors, after.bus.errors), _grown(before.bus.stalled, after.bus.stalled)
    return Pcie(pci.link_speed, pci.link_width, pci.max_link_speed, pci.max_link_width, errors, stalled)


def _pause(before: _Host, after: _Host) -> Optional[Pause]:
    if before.pause is None or after.pause is None:
        return None
    frames = after.pause - before.pause
    return Pause(max(0, frames.sent), max(0, frames.received))


def _clocks() -> Clocks:
    return Clocks(hardware_clock(), time.monotonic(), time.time())


def _stood_still(before: _Host, after: _Host) -> Optional[float]:
    seconds = before.clocks.still(after.clocks) if before.clocks and after.clocks else None
    return None if seconds is None else round(seconds, 1)


def _grown(earlier: Optional[int], later: Optional[int]) -> Optional[int]:
    return None if earlier is None or later is None else max(0, later - earlier)
