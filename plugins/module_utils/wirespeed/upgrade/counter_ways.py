# SPDX-License-Identifier: GPL-3.0-or-later
"""From which raw counters a unified one comes under another kernel.

The rules are those of :func:`~..counters.unify.unify`: names decide, then kernel ranges. But a module's names are all
that its driver can show; what it does show depends on the device too (virtio_net's device statistics). So there may be
several candidates, best first, of which the NIC will take the first that its device serves.
"""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Tuple

from ..counters.table import Alternative, Counter, CounterTable, Source
from ..counters.unify import UnifiedCounters
from .evidence import KernelFacts

Ways = Mapping[str, Tuple[str, ...]]
"""Unified counter -> the candidates as texts, best first; empty where the driver cannot tell it. :data:`NOT_SERVED`
is the last where the device may serve none of them."""

NOT_SERVED = ""


def told(way: Alternative) -> str:
    """``rx{q}_drops - rx{q}_xdp_drops``"""
    plus, minus = ([_named(name.source, name.name) for name in names] for names in (way.plus, way.minus))
    return " - ".join([" + ".join(plus), *minus])


def _named(source: Source, name: str) -> str:
    return name if source is Source.ETHTOOL_S else f"{source.value}:{name}"


def now(counters: UnifiedCounters) -> Ways:
    """As they are read at this moment."""
    ways = ((counter, reading.way) for counter, reading in counters.readings.items())
    return {counter.value: (told(way),) if way else () for counter, way in ways}


def then(nic: str, table: CounterTable, seen: UnifiedCounters, running: KernelFacts, target: KernelFacts) -> Ways:
    """What a NIC can show under ``target``, given what it shows (``seen``) under the ``running`` kernel."""
    found: Dict[str, Tuple[str, ...]] = {}
    for counter, entry in table.entries.items():
        present = seen.readings[counter].way if counter in seen.readings else None
        possible = [
            way
            for way in entry.alternatives
            if _can(nic, way, target) is not False and not _refuted(nic, way, entry.alternatives, present, running)
        ]
        fitting = [way for way in possible if way.kernel.holds(target.kernel.version)] or possible
        ways = tuple(dict.fromkeys(told(way) for way in _up_to(fitting, present)))
        found[counter.value] = (*ways, NOT_SERVED) if ways and present is None else ways
    return found


def _can(nic: str, way: Alternative, kernel: KernelFacts) -> Optional[bool]:
    """Whether the driver has all its names; None where the files do not tell."""
    answers = [kernel.has_counter(nic, name) for name in (*way.plus, *way.minus)]
    if any(answer is False for answer in answers):
        return False
    return None if any(answer is None for answer in answers) else True


def _refuted(
    nic: str,
    way: Alternative,
    ways: Tuple[Alternative, ...],
    present: Optional[Alternative],
    running: KernelFacts,
) -> bool:
    """Better than what the NIC shows now, and its driver has the names already: then its device does not serve it."""
    better = ways[: ways.index(present)] if present in ways else ways
    fits = way.kernel.holds(running.kernel.version)
    return way in better and fits and _can(nic, way, running) is True


def _up_to(ways: List[Alternative], certain: Optional[Alternative]) -> List[Alternative]:
    """None comes after the one that is served for certain: it is shown now."""
    return ways[: ways.index(certain) + 1] if certain in ways else ways


def joined(ways: Tuple[str, ...]) -> Optional[str]:
    """For a reader; None where there is none."""
    return " or ".join(way for way in ways if way != NOT_SERVED) or None


def lost(table: CounterTable, counter: str) -> str:
    """What a profile says of a counter that no alternative gives."""
    return table.entries[Counter(counter)].absent
