# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipelines that run: what is live of each, and what it decided, continuous over reloads."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Dict, List, Mapping, Tuple

from ..config import store
from ..counters.verdict_map import VerdictMap
from ..counters.verdicts import VerdictReading
from ..errors import WirespeedError
from ..pipeline import history, overview
from ..pipeline.links import pinned_links
from ..pipeline.manifest import VERDICT_MAP
from ..pipeline.pins import Paths
from . import metrics
from .continuity import Continuous, MapTotals
from .live import Live, living, tried
from .samples import Samples

Cell = Tuple[str, str]
"""A verdict, and which of its two counts."""

_PACKETS, _BYTES = "packets", "bytes"


class PipelinePart:
    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._verdicts: Dict[str, MapTotals[Cell]] = {}
        self._empty = Continuous()

    def read(self, samples: Samples) -> List[str]:
        """What went wrong, in words."""
        failed: List[str] = []
        carriers = overview.carriers(self._paths, pinned_links(self._paths))
        for name in self._paths.pipelines():
            nics = sum(not each.dead for each in carriers.get(name, ()))
            failed += tried(name, partial(self._pipeline, samples, name, nics))
        return failed

    def _pipeline(self, samples: Samples, name: str, nics: int) -> None:
        live = living(self._paths, name)
        if live is None:
            samples.add(metrics.PIPELINE_NICS, [name], nics)
            return
        readings = self._counts(live)
        self._state(samples, live, nics)
        for (verdict, action), (packets, size) in readings.items():
            samples.add(metrics.VERDICT_PACKETS, [name, verdict, action], packets)
            samples.add(metrics.VERDICT_BYTES, [name, verdict, action], size)
        samples.add(metrics.EMPTY_SLOT, [name], self._empty.last(name))

    def _counts(self, live: Live) -> Mapping[Tuple[str, str], Tuple[int, int]]:
        """Packets and bytes by verdict and action; nothing where the pipeline counts none."""
        if live.manifest is None or not live.manifest.verdicts:
            return {}
        totals = self._verdicts.setdefault(live.pipeline, MapTotals())
        # What a map had counted comes into the one that replaces it a while after the publish.
        if VERDICT_MAP not in live.pending or not totals.values:
            with VerdictMap(self._paths, live.pipeline) as maps:
                reading = maps.read()
            totals.told(reading.map_id, _cells(reading), VERDICT_MAP in live.reset)
            self._empty.told(live.pipeline, reading.unseen)
        told = totals.values
        return {
            (verdict.name, verdict.action): (
                told.get((verdict.name, _PACKETS), 0),
                told.get((verdict.name, _BYTES), 0),
            )
            for verdict in live.manifest.verdicts
        }

    def _state(self, samples: Samples, live: Live, nics: int) -> None:
        name = live.pipeline
        delivered = None
        with suppress(WirespeedError):
            delivered = store.history(self._paths, name).last
        digest = delivered.digest if delivered else ""
        said = [name, live.version, live.generation, live.digest, digest]
        samples.add(metrics.PIPELINE_INFO, said, 1)
        samples.add(metrics.PIPELINE_EPOCH, [name], history.epoch(history.read(self._paths, name)))
        samples.add(metrics.PIPELINE_LOADED, [name], live.loaded_at or None)
        samples.add(metrics.PIPELINE_NICS, [name], nics)
        samples.add(metrics.PIPELINE_PENDING, [name], len(live.pending))
        if delivered is not None:
            samples.add(metrics.CONFIG_VERSION, [name], delivered.version)
            samples.add(metrics.CONFIG_DELIVERED, [name], delivered.at)


def _cells(reading: VerdictReading) -> Mapping[Cell, int]:
    cells: Dict[Cell, int] = {}
    for name, count in reading.counts.items():
        cells[(name, _PACKETS)], cells[(name, _BYTES)] = count.packets, count.bytes
    return cells
