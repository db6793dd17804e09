# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows of the health gate by hand, and a gate whose time passes only when it sleeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional

from wirespeed.counters.gate_window import Clock, Gate
from wirespeed.counters.health_window import Growth, HealthWindow, NicWindow
from wirespeed.pipeline.checks import Bound, Health
from wirespeed.pipeline.pins import Paths

CHECK = "eth1: every-run-judged"
BROKEN = "eth1: every-run-judged: xdp_packets == verdict total does not hold: 9 against 7, 2 frames apart."


def window(passed: int = 9000, denied: int = 1000, **more: Any) -> HealthWindow:
    """Ten seconds; ``malformed`` and whatever else is asked for by keyword."""
    more.setdefault("verdicts", {"pass": passed, "denied": denied, "malformed": more.pop("malformed", 0)})
    more.setdefault("nics", {"eth1": nic()})
    more.setdefault("sound", frozenset({CHECK}))
    return HealthWindow(**{"seconds": 10.0, "generation": "aaaaaaaaaaaa", **more})


def nic(error: Optional[int] = 0, aborted: Optional[int] = 0, frames: Optional[int] = 10000) -> NicWindow:
    told = {"error": error, "xdp_aborted": aborted}
    return NicWindow(frames, {name: None if n is None else Growth(n, n) for name, n in told.items()})


def health(**said: Any) -> Health:
    """Without a bound unless one is said."""
    bounds = {name: Bound(**bound) for name, bound in said.pop("verdicts", {}).items()}
    return Health(**{"window": 10.0, "min_packets": 1000, "verdicts": bounds, **said})


class Slowly:
    """Time that passes only in ``sleep``."""

    def __init__(self) -> None:
        self.time = 0.0
        self.clock = Clock(lambda: self.time, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Measured:
    """A measurement whose counts so far grow evenly up to those of ``whole``; ``ends`` are what end() tells."""

    def __init__(self, slowly: Slowly, whole: HealthWindow, ends: Iterable[HealthWindow] = ()) -> None:
        self._slowly = slowly
        self._whole = whole
        self._began = slowly.time
        self._ends: Iterator[HealthWindow] = iter(ends)

    def so_far(self) -> HealthWindow:
        passed = self._slowly.time - self._began
        counts = {name: int(count * passed / self._whole.seconds) for name, count in self._whole.verdicts.items()}
        return replace(self._whole, seconds=passed, verdicts=counts)

    def end(self) -> HealthWindow:
        return next(self._ends, self.so_far())


def gate(slowly: Slowly, bounds: Health, *windows: HealthWindow) -> Gate:
    """Measures ``windows`` one after the other."""
    left: List[HealthWindow] = list(windows)
    nowhere = Paths(Path("/nowhere"), Path("/nowhere"), Path("/nowhere"))
    return Gate(nowhere, "edge", bounds, (), lambda: Measured(slowly, left.pop(0)), slowly.clock)
