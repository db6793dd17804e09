# SPDX-License-Identifier: GPL-3.0-or-later
"""What one reading found: samples of the metrics of :mod:`.metrics`. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Union

from .metrics import Metric, Part

Number = Union[int, float]
Labels = Tuple[str, ...]


class Samples:
    """Values by metric and labels. What is None is absent, and absent is not zero: it makes no sample."""

    def __init__(self) -> None:
        self.values: Dict[Metric, Dict[Labels, Number]] = {}
        self.names: Dict[Metric, Labels] = {}

    def add(self, metric: Metric, labels: Sequence[object], value: Optional[Number]) -> None:
        """Labels are those of the metric, in its order. The same again is added up."""
        if value is None:
            return
        series = self.values.setdefault(metric, {})
        key = tuple(map(str, labels))
        series[key] = series.get(key, 0) + value

    def of(self, metric: Metric) -> Mapping[Labels, Number]:
        return self.values.get(metric, {})

    def series(self) -> int:
        return sum(len(each) for each in self.values.values())


@dataclass(frozen=True)
class Entity:
    """Packets and bytes of one entity by one verdict; ``labels`` are named by :attr:`EntityCounts.names`."""

    labels: Labels
    verdict: str
    packets: int
    bytes: int


@dataclass(frozen=True)
class EntityCounts:
    """Of one pipeline. ``left_out``: entities for which the cap had no place."""

    pipeline: str
    names: Labels
    rows: Tuple[Entity, ...]
    left_out: int = 0


@dataclass
class Scrape:
    """One reading of everything. ``failed`` says of a part why not all of it is here."""

    samples: Samples = field(default_factory=Samples)
    entities: List[EntityCounts] = field(default_factory=list)
    failed: Dict[Part, List[str]] = field(default_factory=dict)
    seconds: Dict[Part, float] = field(default_factory=dict)
