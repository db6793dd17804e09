# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets a change prove itself on the node before it is kept: the same window of counters before it and after it.

::

    soaking = Soaking(paths, soak, place)
    soaking.before(watched)
    ...  # the change
    warnings = soaking.after(watched)  # SoakFailed: undo the change

Judged are the pipelines' verdicts and the NICs' counters (as in :mod:`.counters.gate`), carriers, whether the one who
asked still listens, and whether others that answered before still do.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from .carrier import has_carrier
from .counters import raw
from .counters.gate import beyond_recovery, cautions, judge
from .counters.gate_report import judged, nic_window
from .counters.gate_window import Clock, KernelMeasurement, Measurement
from .counters.health_window import HealthWindow
from .counters.verify import POLL_S, Subject, Watch
from .errors import Place, WirespeedError
from .kernel import caller
from .kernel.host import parse_release
from .pipeline import instance
from .pipeline.checks import Health
from .pipeline.manifest import Manifest
from .pipeline.pins import Paths
from .soak_option import Peer, Soak

ANSWER_SECONDS = 2.0
TRIES = 3

_CLOCK = Clock()
_NO_WINDOW = HealthWindow(0.0, None, why="there was no window before it.")


@dataclass(frozen=True)
class Watched:
    """NICs that are judged together: those of one pipeline, or, without a manifest, those that carry none of ours."""

    subjects: Sequence[Subject]
    manifest: Optional[Manifest] = None


class SoakFailed(WirespeedError):
    """What was wrong after the change; the one who catches it undoes the change."""

    def __init__(self, complaints: Sequence[str], seconds: float) -> None:
        super().__init__(f"The change did not hold for {seconds:g} s: {'; '.join(complaints)}.")
        self.complaints = tuple(complaints)


@dataclass
class _Seen:
    windows: Dict[str, HealthWindow] = field(default_factory=dict)
    carriers: Sequence[str] = ()
    answering: Sequence[Peer] = ()


class Soaking:
    """One change. ``listener`` is the descriptor whose reader must not go away, if there is one."""

    def __init__(
        self, paths: Paths, soak: Soak, place: Place, listener: Optional[int] = None, clock: Clock = _CLOCK
    ) -> None:
        self._paths = paths
        self._soak = soak
        self._place = place
        self._listener = listener
        self._clock = clock
        self._before = _Seen()
        self._after: Dict[str, HealthWindow] = {}

    def before(self, watched: Mapping[str, Watched]) -> None:
        """Takes ``soak.seconds``. Raises :class:`BadInput` for bounds on verdicts that nobody has."""
        manifests = [each.manifest for each in watched.values() if each.manifest is not None]
        self._soak.check_names([verdict.name for each in manifests for verdict in each.verdicts], self._place)
        there = {name: each for name, each in watched.items() if self._runs(name, each)}
        self._before = _Seen(
            self._windows(there, lambda dummy, so_far: False),
            [name for name in _nics(watched) if has_carrier(name)],
            [peer for peer in self._soak.reach if caller.answers(*peer, ANSWER_SECONDS)],
        )

    def after(self, watched: Mapping[str, Watched]) -> Tuple[str, ...]:
        """As long, or less when the rest could not change the judgement. Returns what could not be judged.

        Raises :class:`SoakFailed`, and KernelRefusal (NIC gone).
        """
        self._after = self._windows(watched, partial(self._hopeless, watched))
        complaints: List[str] = []
        notes = [f"{host}:{port} did not answer before the change either." for host, port in self._silent()]
        for name, each in watched.items():
            was, now, health = self._before.windows.get(name, _NO_WINDOW), self._after[name], self._health(each)
            about = f"pipeline {name}: " if each.manifest else ""
            complaints += [f"{about}{complaint}" for complaint in judge(was, now, health)]
            if each.manifest is not None and name in self._before.windows:
                notes += cautions(was, now, health)
        complaints += [f"{name} has lost its carrier" for name in self._before.carriers if not has_carrier(name)]
        complaints += [f"{host}:{port} does not answer any more" for host, port in self._lost()]
        if complaints:
            raise SoakFailed(complaints, self._soak.seconds)
        return tuple(notes)

    def to_json(self) -> Dict[str, Any]:
        """What was seen, by pipeline (empty: NICs without one); the window before is null where nothing ran."""
        names = dict.fromkeys([*self._before.windows, *self._after])
        return {
            "seconds": self._soak.seconds,
            "windows": {
                name: {
                    "before": _json(self._before.windows.get(name)),
                    "after": _json(self._after.get(name)),
                }
                for name in names
            },
        }

    def _runs(self, name: str, each: Watched) -> bool:
        return each.manifest is None or instance.published(self._paths, name) is not None

    def _health(self, each: Watched) -> Health:
        return self._soak.health(each.manifest.health if each.manifest else None)

    def _silent(self) -> List[Peer]:
        return [peer for peer in self._soak.reach if peer not in self._before.answering]

    def _lost(self) -> List[Peer]:
        """A lost packet or a busy peer is no loss: each is asked more than once."""
        return [
            peer
            for peer in self._before.answering
            if not any(caller.answers(*peer, ANSWER_SECONDS) for dummy in range(TRIES))
        ]

    def _hopeless(self, watched: Mapping[str, Watched], name: str, so_far: HealthWindow) -> bool:
        each = watched[name]
        if each.manifest is None:
            return False
        return beyond_recovery(self._before.windows.get(name, _NO_WINDOW), so_far, self._health(each))

    def _windows(
        self, watched: Mapping[str, Watched], hopeless: Callable[[str, HealthWindow], bool]
    ) -> Dict[str, HealthWindow]:
        underway = {name: self._begin(name, each) for name, each in watched.items()}
        deadline = self._clock.now() + self._soak.seconds
        while self._clock.now() < deadline:
            self._clock.sleep(min(POLL_S, deadline - self._clock.now()))
            self._hold_listener()
            if any(hopeless(name, each.so_far()) for name, each in underway.items()):
                break
        return {name: each.end() for name, each in underway.items()}

    def _begin(self, name: str, each: Watched) -> Measurement:
        if each.manifest is None:
            return _Bare(self._paths, each.subjects)
        return KernelMeasurement(self._paths, name, each.subjects)

    def _hold_listener(self) -> None:
        """A change of which nobody hears whether it held is not kept."""
        if self._listener is not None and not caller.listening(self._listener):
            raise SoakFailed(["the connection over which it was asked for is gone"], self._soak.seconds)


class _Bare:
    """The counters of NICs that carry no pipeline. Begins when it is made."""

    def __init__(self, paths: Paths, subjects: Sequence[Subject]) -> None:
        self._watch = Watch.begin(subjects, parse_release(os.uname().release).version, paths)

    def so_far(self) -> HealthWindow:
        return _NO_WINDOW

    def end(self) -> HealthWindow:
        report = self._watch.end()
        found = dict(judged(report))
        return HealthWindow(
            report.seconds,
            None,
            why="there is no pipeline.",
            nics={nic.name: nic_window(nic, raw.virtual_functions(nic.name)) for nic in report.nics},
            findings={key: said for key, said in found.items() if said},
            sound=frozenset(key for key, said in found.items() if not said),
        )


def _nics(watched: Mapping[str, Watched]) -> List[str]:
    return [subject.nic.name for each in watched.values() for subject in each.subjects]


def _json(window: Optional[HealthWindow]) -> Optional[Dict[str, Any]]:
    return None if window is None else window.to_json()
