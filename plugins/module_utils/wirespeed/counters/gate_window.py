# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the windows of the health gate, and raises when the new program misbehaves.

::

    gate = Gate(paths, "edge", manifest.health, [subject(nic, profile.counters)])
    gate.before()
    ...  # publish
    warnings = gate.after()  # GateFailed: undo the publish
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from typing import Callable, Optional, Protocol, Sequence, Tuple, Union

from ..errors import WirespeedError
from ..kernel.bpf_map import BpfMap
from ..kernel.host import parse_release
from ..pipeline import instance
from ..pipeline.checks import Health
from ..pipeline.pins import Paths
from . import raw
from .gate import GateFailed, beyond_recovery, cautions, judge
from .gate_report import judged, nic_window
from .health_window import HealthWindow
from .report import CounterReport
from .verdict_map import VerdictMap
from .verdicts import VerdictDelta, VerdictReading, delta
from .verify import POLL_S, Subject, Watch

_NO_WINDOW = HealthWindow(0.0, None, why="there was no window before it.")


class Measurement(Protocol):
    """A window under way."""

    def so_far(self) -> HealthWindow:
        """What the pipeline alone counted until now: quick, and without the NICs."""

    def end(self) -> HealthWindow:
        """All of it. The window may go on afterwards."""


@dataclass(frozen=True)
class Clock:
    """In seconds; ``now`` is monotonic."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Gate:
    """One publish of one pipeline. ``subjects`` are the NICs that carry it; without any, only verdicts are judged."""

    def __init__(
        self,
        paths: Paths,
        pipeline: str,
        health: Health,
        subjects: Sequence[Subject],
        begin: Optional[Callable[[], Measurement]] = None,
        clock: Clock = Clock(),
    ) -> None:
        self.pipeline = pipeline
        self.health = health
        self._begin = begin or (lambda: KernelMeasurement(paths, pipeline, subjects))
        self._clock = clock
        self._before = _NO_WINDOW

    def before(self) -> HealthWindow:
        """Takes ``health.window`` seconds, and up to one more until nothing is under way. Raises KernelRefusal."""
        self._before = self._window(lambda so_far: False)
        return self._before

    def after(self) -> Tuple[str, ...]:
        """As long as :meth:`before`, or less when the rest could not change the judgement.

        Call it when the slot is written and all counters are handed over. Returns what could not be judged, one
        sentence each. Raises :class:`GateFailed`, and KernelRefusal (NIC gone).
        """
        after = self._window(lambda so_far: beyond_recovery(self._before, so_far, self.health))
        complaints = judge(self._before, after, self.health)
        if complaints:
            raise GateFailed(self.pipeline, complaints, self._before, after)
        return cautions(self._before, after, self.health)

    def _window(self, hopeless: Callable[[HealthWindow], bool]) -> HealthWindow:
        measurement = self._begin()
        deadline = self._clock.now() + self.health.window
        while self._clock.now() < deadline:
            self._clock.sleep(min(POLL_S, deadline - self._clock.now()))
            if self._clock.now() < deadline and hopeless(measurement.so_far()):
                ended = measurement.end()
                if hopeless(ended):
                    return replace(ended, ended_early=True)
        return measurement.end()


class KernelMeasurement:
    """Begins when it is made."""

    def __init__(self, paths: Paths, pipeline: str, subjects: Sequence[Subject]) -> None:
        self._paths = paths
        self._pipeline = pipeline
        self._unseen = _unseen(paths, pipeline)  # before the watch settles: nothing since the publish is missed
        kernel = parse_release(os.uname().release).version
        self._watch = Watch.begin(subjects, kernel, paths, pipeline) if subjects else None
        self._verdicts = _read(paths, pipeline)
        self._began = time.monotonic()

    def so_far(self) -> HealthWindow:
        counted = _between(self._verdicts, _read(self._paths, self._pipeline))
        return self._window(counted, time.monotonic() - self._began)

    def end(self) -> HealthWindow:
        if self._watch is None:
            return self.so_far()
        report = self._watch.end()
        found = dict(judged(report))
        return replace(
            self._window(_of_pipeline(report), report.seconds),
            nics={nic.name: nic_window(nic, raw.virtual_functions(nic.name)) for nic in report.nics},
            findings={key: said for key, said in found.items() if said},
            sound=frozenset(key for key, said in found.items() if not said),
        )

    def _window(self, counted: Union[VerdictDelta, str], seconds: float) -> HealthWindow:
        return HealthWindow(
            seconds=seconds,
            verdicts=None if isinstance(counted, str) else {n: c.packets for n, c in counted.counts.items()},
            generation=instance.published(self._paths, self._pipeline),
            why=counted if isinstance(counted, str) else "",
            unseen=max(0, _unseen(self._paths, self._pipeline) - self._unseen),
        )


def _read(paths: Paths, pipeline: str) -> Union[VerdictReading, str]:
    """Opened anew each time: whose verdicts these are is what is published now."""
    try:
        with VerdictMap(paths, pipeline) as maps:
            return maps.read()
    except WirespeedError as unreadable:
        return str(unreadable)


def _unseen(paths: Paths, pipeline: str) -> int:
    """Apart from the verdicts, which nobody can read while nothing is published."""
    pin = paths.empty_slot(pipeline)
    if not pin.exists():
        return 0
    with BpfMap.pinned(str(pin)) as counter:
        return sum(int.from_bytes(count[:8], sys.byteorder) for count in counter.lookup_percpu(bytes(4)))


def _between(start: Union[VerdictReading, str], end: Union[VerdictReading, str]) -> Union[VerdictDelta, str]:
    if isinstance(start, str) or isinstance(end, str):
        return end if isinstance(end, str) else str(start)
    return _comparable(delta(start, end))


def _of_pipeline(report: CounterReport) -> Union[VerdictDelta, str]:
    pipeline = report.pipeline
    if pipeline is None or pipeline.verdicts is None:
        return pipeline.problem if pipeline else "no pipeline was read."
    return _comparable(pipeline.verdicts)


def _comparable(counted: VerdictDelta) -> Union[VerdictDelta, str]:
    return f"{counted.problem}." if counted.problem else counted
