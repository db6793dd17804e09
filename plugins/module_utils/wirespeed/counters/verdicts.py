# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipeline's own verdict counters: what it decided, by name and by XDP action. Pure.

Reading them from the kernel is :mod:`.verdict_map`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Mapping, Tuple

ACTIONS = ("aborted", "drop", "pass", "tx", "redirect")
TOTAL = "total"


@dataclass(frozen=True)
class VerdictName:
    """One index of the verdict map, from the manifest."""

    index: int
    name: str
    action: str


@dataclass(frozen=True)
class VerdictCount:
    packets: int
    bytes: int


@dataclass(frozen=True)
class VerdictReading:
    """``counts`` by verdict name. ``map_id`` tells a new map from the old one: its counts start at zero.

    ``unseen`` counts the frames that met an empty slot of the root: no pipeline judged them.
    """

    pipeline: str
    map_id: int
    names: Tuple[VerdictName, ...]
    counts: Mapping[str, VerdictCount]
    unseen: int = 0


@dataclass(frozen=True)
class VerdictDelta:
    """What was decided in a window. ``problem`` is set when the two readings cannot be compared."""

    counts: Mapping[str, VerdictCount]
    actions: Mapping[str, int]
    unseen: int = 0
    problem: str = ""

    @property
    def total(self) -> int:
        return self.actions[TOTAL]


def summed(names: Tuple[VerdictName, ...], per_cpu: Mapping[int, Tuple[VerdictCount, ...]]) -> Dict[str, VerdictCount]:
    """``per_cpu`` is index -> one count for each CPU."""
    counts = {}
    for verdict in names:
        cells = per_cpu.get(verdict.index, ())
        counts[verdict.name] = VerdictCount(sum(c.packets for c in cells), sum(c.bytes for c in cells))
    return counts


def delta(before: VerdictReading, after: VerdictReading) -> VerdictDelta:
    """Verdicts decided between two readings."""
    counts: Dict[str, VerdictCount] = {}
    problem = _incomparable(before, after)
    for name, late in after.counts.items():
        early = before.counts.get(name, VerdictCount(0, 0))
        counts[name] = VerdictCount(late.packets - early.packets, late.bytes - early.bytes)
        if counts[name].packets < 0 and not problem:
            problem = f"the count of verdict {name!r} went back from {early.packets} to {late.packets}"
    return VerdictDelta(counts, _by_action(after.names, counts), after.unseen - before.unseen, problem)


def _incomparable(before: VerdictReading, after: VerdictReading) -> str:
    if before.pipeline != after.pipeline:
        return f"pipeline {before.pipeline!r} was replaced by {after.pipeline!r}"
    if before.map_id != after.map_id:
        return f"the verdict map was replaced (id {before.map_id}, now {after.map_id}): its counts start at zero"
    return ""


def _by_action(names: Tuple[VerdictName, ...], counts: Mapping[str, VerdictCount]) -> Dict[str, int]:
    actions = dict.fromkeys(ACTIONS, 0)
    for verdict in names:
        actions[verdict.action] += counts[verdict.name].packets
    actions[TOTAL] = sum(actions.values())
    return actions
