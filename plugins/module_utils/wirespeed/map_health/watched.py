# SPDX-License-Identifier: GPL-3.0-or-later
"""One map of a live generation, open for as long as it is watched."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Mapping, Optional

from ..errors import KernelRefusal
from ..kernel import bpf_batch
from ..kernel.bpf_map import ARRAY, HASH_TYPES, LPM_TRIE, PERCPU_ARRAY, BpfMap
from ..model.map_health import MapUse
from ..pipeline.map_limits import Counter, MapLimits
from .judge import Reading, Subject, judged
from .questions import Questions
from .walk import OWNERS, Walk

Counters = Mapping[str, BpfMap]
"""The maps in which the pipeline counts what happens to its entries, by name."""


class Watched:
    """Closes ``found`` with itself. ``walk`` is the program's code; empty where the map is not walked."""

    def __init__(self, subject: Subject, limits: MapLimits, found: BpfMap, walk: bytes, asked: Questions) -> None:
        self.found, self._subject, self._limits, self._asked = found, subject, limits, asked
        self._before: Optional[Reading] = None
        self._walk: Optional[Walk] = None
        self._unknown = ""
        if walk and subject.type in HASH_TYPES:
            try:
                self._walk = Walk(walk, found, asked)
            except KernelRefusal as error:
                self._unknown = f"its entries cannot be looked at one by one: {error.problem}"

    def follow(self, limits: MapLimits, asked: Questions) -> bool:
        """Goes on under what another manifest says of the same map. False where that asks for other figures, which have
        nothing to compare with what was read before."""
        same = (self._asked, self._limits.made, self._limits.failed) == (asked, limits.made, limits.failed)
        if same:
            self._limits = limits
        return same

    def read(self, counted: Mapping[int, int], counters: Counters) -> MapUse:
        """``counted``: entries by the id of the map, where the kernel counts them. Raises KernelRefusal."""
        # The pipeline's counters first: an entry that is made meanwhile is then in the map and not in the counter,
        # and the greater of the two numbers holds.
        made, failed = _event(self._limits.made, counters), _event(self._limits.failed, counters)
        after = replace(self._look(counted.get(self.found.info.id)), made=made, failed=failed)
        before, self._before = self._before, after
        return judged(self._subject, self._limits, before, after)

    def _look(self, counted: Optional[int]) -> Reading:
        if self._walk is not None:
            walked = self._walk.run()
            aside = f"entries of more than {OWNERS} entities are not told apart" if walked.unowned else ""
            return Reading(walked.at, walked.entries, walked.expired, walked.fresh, owners=walked.owners, unknown=aside)
        at, kind = time.monotonic(), self._subject.type
        if counted is not None:
            return Reading(at, counted, unknown=self._unknown)
        if kind in (ARRAY, PERCPU_ARRAY):
            return Reading(at, self._subject.max_entries)
        if kind in (*HASH_TYPES, LPM_TRIE):
            return Reading(at, bpf_batch.count(self.found), unknown=self._unknown)
        return Reading(at, unknown="the kernel does not say how many entries a map of this type has")

    def close(self) -> None:
        if self._walk is not None:
            self._walk.close()
        self.found.close()


def _event(counter: Optional[Counter], counters: Counters) -> Optional[int]:
    """Of all CPUs together."""
    if counter is None or counter.map not in counters:
        return None
    cells = counters[counter.map].lookup_percpu(counter.index.to_bytes(4, "little"))
    return sum(int.from_bytes(cell, "little") for cell in cells)
