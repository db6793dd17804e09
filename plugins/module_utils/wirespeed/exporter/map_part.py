# SPDX-License-Identifier: GPL-3.0-or-later
"""How full the maps of the pipelines are. What the kernel counts costs the same for ten entries and for a million;
``walk`` looks at each entry."""

from __future__ import annotations

from typing import Dict, Hashable, List, Mapping, Tuple

from ..errors import WirespeedError
from ..map_engine import running
from ..map_health.reading import MapWatch
from ..model.map_health import Level, MapUse
from ..pipeline.pins import Paths
from . import metrics
from .continuity import Continuous
from .samples import Samples

_LEVELS: Mapping[Level, int] = {Level.OK: 0, Level.WARNING: 1, Level.CRITICAL: 2}


class MapPart:
    """Rates and forecasts lie between two readings: the first has none."""

    def __init__(self, paths: Paths, walk: bool) -> None:
        self._paths, self._walk = paths, walk
        self._watches: Dict[str, MapWatch] = {}
        self._events = Continuous()

    def read(self, samples: Samples) -> List[str]:
        """What went wrong, in words."""
        failed = []
        present = running(self._paths)
        for gone in self._watches.keys() - set(present):
            self._watches.pop(gone).close()
        for name in present:
            try:
                for use in self._watch(name).read():
                    self._map(samples, use)
            except WirespeedError as error:
                failed.append(f"maps of pipeline {name}: {error}")
                if name in self._watches:
                    self._watches.pop(name).close()
        return failed

    def _watch(self, name: str) -> MapWatch:
        if name not in self._watches:
            self._watches[name] = MapWatch.begin(self._paths, name, self._walk)
        return self._watches[name]

    def _map(self, samples: Samples, use: MapUse) -> None:
        who = (use.pipeline, use.name)
        if "array" in use.type:
            return
        samples.add(metrics.MAP_ENTRIES, [*who, use.type], use.entries)
        samples.add(metrics.MAP_MAX, [*who, use.type], use.max_entries)
        samples.add(metrics.MAP_LEVEL, who, _LEVELS[use.level])
        samples.add(metrics.MAP_FULL_IN, who, use.full_in_s)
        for metric, count in ((metrics.MAP_INSERTED, use.inserted), (metrics.MAP_FAILURES, use.update_failures)):
            if count is not None:
                samples.add(metric, who, self._events.told(_key(metric.name, who), count))
        if self._walk:
            samples.add(metrics.MAP_EXPIRED, who, use.expired)
            for entity, entries in use.shares.items():
                samples.add(metrics.MAP_SHARE, [*who, entity], entries)

    def close(self) -> None:
        for each in self._watches.values():
            each.close()
        self._watches = {}


def _key(metric: str, who: Tuple[str, str]) -> Hashable:
    return (metric, *who)
