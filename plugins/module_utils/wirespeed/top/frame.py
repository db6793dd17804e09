# SPDX-License-Identifier: GPL-3.0-or-later
"""From two readings to what one picture shows: rates, the busiest first. Pure.

A rate is None where the counter is absent, which is not zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Tuple

from ..counters.table import Counter
from ..exporter import metrics as m
from ..exporter.metrics import Metric
from ..exporter.samples import Entity, Samples, Scrape

Rate = Optional[float]
LEVELS = ("ok", "warning", "critical")


@dataclass(frozen=True)
class NicRow:
    """Frames a second. ``actions`` as the driver counts them. ``hottest``: the busiest queue and its share of all."""

    name: str
    driver: str
    mode: str
    pipeline: str
    up: bool
    packets: Rate
    nic_drop: Rate
    host_drop: Rate
    error: Rate
    actions: Mapping[str, Rate]
    hottest: Optional[Tuple[str, float]] = None


@dataclass(frozen=True)
class VerdictRow:
    pipeline: str
    verdict: str
    action: str
    packets: float
    bytes: float
    total: int


@dataclass(frozen=True)
class MapRow:
    """``entries`` of ``room``; rates in entries a second."""

    pipeline: str
    map: str
    entries: Optional[int]
    room: int
    inserted: Rate
    failed: Rate
    full_in: Rate
    level: str


@dataclass(frozen=True)
class EntityRow:
    pipeline: str
    labels: Mapping[str, str]
    verdict: str
    packets: float


@dataclass(frozen=True)
class Frame:
    """``notes`` say what could not be read, and which pipelines were published anew between the two readings."""

    seconds: float
    nics: Tuple[NicRow, ...]
    verdicts: Tuple[VerdictRow, ...]
    maps: Tuple[MapRow, ...]
    entities: Tuple[EntityRow, ...]
    notes: Tuple[str, ...]


def frame(before: Scrape, after: Scrape, seconds: float) -> Frame:
    """``seconds`` lie between the two."""
    rates = _Rates(before.samples, after.samples, seconds)
    return Frame(
        seconds,
        tuple(_nics(rates, after.samples)),
        tuple(_verdicts(rates, after.samples)),
        tuple(_maps(rates, after.samples)),
        tuple(_entities(before, after, seconds)),
        (*_reloads(before.samples, after.samples), *(why for each in after.failed.values() for why in each)),
    )


class _Rates:
    def __init__(self, before: Samples, after: Samples, seconds: float) -> None:
        self._before, self._after, self._seconds = before, after, max(seconds, 1e-9)

    def of(self, metric: Metric, *labels: str) -> Rate:
        """What came new since the first reading began then, and counts whole."""
        late = self._after.of(metric).get(labels)
        if late is None:
            return None
        return max(0.0, late - self._before.of(metric).get(labels, 0)) / self._seconds


def _nics(rates: _Rates, now: Samples) -> List[NicRow]:
    rows = []
    packets, error = m.PLAIN[Counter.DRIVER_PACKETS], m.PLAIN[Counter.ERROR]
    for name, driver, dummy, mode, pipeline in now.of(m.NIC_INFO):
        rows.append(
            NicRow(
                name,
                driver,
                mode,
                pipeline,
                bool(now.of(m.NIC_UP).get((name,))),
                rates.of(packets, name),
                rates.of(m.NIC_DROPS, name, "nic"),
                rates.of(m.NIC_DROPS, name, "host"),
                rates.of(error, name),
                {action: rates.of(m.NIC_ACTIONS, name, action) for action in m.ACTIONS.values()},
                _hottest(rates, now, name),
            )
        )
    return sorted(rows, key=lambda row: (-(row.packets or 0), row.name))


def _hottest(rates: _Rates, now: Samples, nic: str) -> Optional[Tuple[str, float]]:
    """By frames taken, or where those are not told by queue by what XDP did; None without traffic or queues."""
    by_queue: Dict[str, float] = {}
    for metric in (m.QUEUE_PACKETS, m.QUEUE_ACTIONS):
        for labels in now.of(metric):
            if labels[0] == nic:
                by_queue[labels[1]] = by_queue.get(labels[1], 0.0) + (rates.of(metric, *labels) or 0.0)
        if by_queue:
            break
    total = sum(by_queue.values())
    if not total:
        return None
    queue = max(by_queue, key=lambda each: by_queue[each])
    return queue, by_queue[queue] / total


def _verdicts(rates: _Rates, now: Samples) -> List[VerdictRow]:
    rows = []
    for labels, total in now.of(m.VERDICT_PACKETS).items():
        packets, size = rates.of(m.VERDICT_PACKETS, *labels), rates.of(m.VERDICT_BYTES, *labels)
        rows.append(VerdictRow(labels[0], labels[1], labels[2], packets or 0.0, size or 0.0, int(total)))
    return sorted(rows, key=lambda row: (row.pipeline, -row.packets, -row.total, row.verdict))


def _maps(rates: _Rates, now: Samples) -> List[MapRow]:
    rows = []
    for labels, room in now.of(m.MAP_MAX).items():
        pipeline, name = who = labels[:2]
        entries = now.of(m.MAP_ENTRIES).get(labels)
        rows.append(
            MapRow(
                pipeline,
                name,
                None if entries is None else int(entries),
                int(room),
                rates.of(m.MAP_INSERTED, *who),
                rates.of(m.MAP_FAILURES, *who),
                now.of(m.MAP_FULL_IN).get(who),
                LEVELS[int(now.of(m.MAP_LEVEL).get(who, 0))],
            )
        )
    return sorted(rows, key=lambda row: (-LEVELS.index(row.level), -(row.entries or 0) / max(1, row.room), row.map))


def _entities(before: Scrape, after: Scrape, seconds: float) -> List[EntityRow]:
    early = {_key(each.pipeline, row): row.packets for each in before.entities for row in each.rows}
    rows = []
    for each in after.entities:
        for row in each.rows:
            grown = max(0, row.packets - early.get(_key(each.pipeline, row), 0)) / max(seconds, 1e-9)
            rows.append(EntityRow(each.pipeline, dict(zip(each.names, row.labels)), row.verdict, grown))
    return sorted(rows, key=lambda row: -row.packets)


def _key(pipeline: str, row: Entity) -> Tuple[object, ...]:
    return (pipeline, row.labels, row.verdict)


def _reloads(before: Samples, after: Samples) -> List[str]:
    early = before.of(m.PIPELINE_EPOCH)
    changed = [labels for labels, number in after.of(m.PIPELINE_EPOCH).items() if early.get(labels, number) != number]
    return [f"pipeline {name} was published anew; its counters go on" for (name,) in changed]
