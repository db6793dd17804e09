# SPDX-License-Identifier: GPL-3.0-or-later
"""Totals at one instant: what every counter reads now, since whenever it began. Nothing here is compared."""

from __future__ import annotations

from typing import Any, Dict, List

from .report import aligned, by_reason
from .table import Counter
from .unify import Reading, UnifiedCounters
from .verdicts import VerdictReading


def to_json(name: str, driver: str, counters: UnifiedCounters) -> Dict[str, Any]:
    """One NIC. ``value`` is null when absent, never 0, and ``why`` then says why."""
    return {
        "name": name,
        "driver": driver,
        "counters": {counter.value: _reading(reading) for counter, reading in counters.readings.items()},
        "text": lines(name, driver, counters),
    }


def verdicts_json(reading: VerdictReading) -> Dict[str, Any]:
    """One pipeline, over all NICs that carry it."""
    counts = {name: {"packets": count.packets, "bytes": count.bytes} for name, count in reading.counts.items()}
    return {"name": reading.pipeline, "verdicts": counts, "empty_slot": reading.unseen}


def lines(name: str, driver: str, counters: UnifiedCounters) -> List[str]:
    told = [_row(counter, reading) for counter, reading in counters.readings.items() if reading.value is not None]
    silent = {counter.value: reading.why for counter, reading in counters.readings.items() if reading.value is None}
    return [f"{name}  {driver}", *aligned(told), *by_reason("not told", silent)]


def _row(counter: Counter, reading: Reading) -> List[str]:
    tell = "" if reading.way is None else f"{reading.way.scope.value}, {reading.way.confidence.value}"
    return [counter.value, str(reading.value), tell, reading.why]


def _reading(reading: Reading) -> Dict[str, Any]:
    said: Dict[str, Any] = {"value": reading.value, "why": reading.why}
    if reading.way is not None:
        said.update(
            raw=[str(name) for name in reading.way.plus] + [f"-{name}" for name in reading.way.minus],
            scope=reading.way.scope.value,
            includes_xdp_drop=reading.way.includes_xdp_drop,
            confidence=reading.way.confidence.value,
            meaning=reading.way.meaning,
            ref=reading.way.ref,
        )
    if reading.queues:
        said["queues"] = {str(queue): count for queue, count in reading.queues.items()}
    return said
