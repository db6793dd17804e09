# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters that only grow, made of raw ones that begin anew now and then. Pure.

A raw counter falls when its ring is made again, when its map is another one, when a narrow register wraps. What it had
counted until then stays in the sum, so that a rate over the fall is that of the packets, and a sum over queues keeps
what a queue that is gone has counted.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Dict, Generic, Hashable, Mapping, Optional, Set, Tuple, TypeVar

from ..counters.table import Counter
from ..counters.unify import Part, Reading

WHOLE = 64
K = TypeVar("K", bound=Hashable)


@dataclass
class _Kept:
    """``value`` is the last that was told; ``raw`` what the source said then."""

    value: int
    raw: int


class Continuous:
    """Any number of counters, by any key."""

    def __init__(self) -> None:
        self._kept: Dict[Hashable, _Kept] = {}

    def told(self, key: Hashable, raw: int, width: int = WHOLE) -> int:
        """``width`` is in bits: a fall from the upper half of a narrower counter is a wrap, any other one a reset."""
        kept = self._kept.get(key)
        if kept is None:
            self._kept[key] = _Kept(raw, raw)
            return raw
        if raw >= kept.raw:
            grown = raw - kept.raw
        elif width < WHOLE and kept.raw >> (width - 1):
            grown = raw + (1 << width) - kept.raw
        else:
            grown = raw
        kept.value, kept.raw = kept.value + grown, raw
        return kept.value

    def began(self, key: Hashable, value: int, raw: int) -> None:
        """A new source takes over where another one of this name has stopped: it goes on from ``value``."""
        self._kept[key] = _Kept(value, raw)

    def last(self, key: Hashable) -> Optional[int]:
        kept = self._kept.get(key)
        return None if kept is None else kept.value


class MapTotals(Generic[K]):
    """What a pipeline counts in one of its maps, by any key, over the maps that reloads put in its place."""

    KEPT = 4
    """Maps whose last counts are remembered: a rollback may bring one back."""

    def __init__(self) -> None:
        self._raw: "OrderedDict[int, Mapping[K, int]]" = OrderedDict()
        self.values: Dict[K, int] = {}

    def told(self, map_id: int, raw: Mapping[K, int], reset: bool) -> None:
        """Updates :attr:`values`. ``reset``: a map that is new here began empty; else it has taken over what the one
        before had counted, and goes on from there."""
        before = self._raw.pop(map_id, None)
        if before is None:
            before = {} if reset or not self._raw else next(reversed(self._raw.values()))
        values, counted = self.values, before.get
        for key, now in raw.items():
            was = counted(key, 0)
            values[key] = values.get(key, 0) + (now - was if now >= was else now)
        self._raw[map_id] = raw
        while len(self._raw) > self.KEPT:
            self._raw.popitem(last=False)
        if len(values) > 2 * len(raw) + 1000:
            self.values = {key: values[key] for key in raw}


class NicTotals:
    """The unified counters of NICs, by name: each a sum of raw counters, of the device or of its queues."""

    def __init__(self) -> None:
        self._parts = Continuous()
        self._known: Dict[Tuple[str, Counter], Set[Tuple[str, Optional[int], int]]] = {}
        self._ways: Dict[Tuple[str, Counter], Tuple[str, ...]] = {}
        self._told: Dict[Hashable, int] = {}

    def told(self, nic: str, reading: Reading) -> Tuple[Optional[int], Mapping[int, int]]:
        """The value, and that of each queue where it is told by queue. None when the counter is absent now."""
        if reading.value is None or reading.way is None:
            return None, {}
        counter = (nic, reading.counter)
        self._follow(counter, reading)
        known = self._known.setdefault(counter, set())
        for part in reading.parts:
            key = (part.name, part.queue, part.sign)
            known.add(key)
            self._parts.told((counter, key), part.value, width=reading.way.width)
        total = sum(sign * (self._parts.last((counter, (name, queue, sign))) or 0) for name, queue, sign in known)
        return self._grown(counter, total), self._queues(counter, reading)

    def _follow(self, counter: Tuple[str, Counter], reading: Reading) -> None:
        """Other raw counters, under other names, do not begin at zero: only what they grow by from here counts."""
        names = tuple(sorted({part.name for part in reading.parts}))
        before = self._ways.get(counter)
        self._ways[counter] = names
        if before is None or before == names:
            return
        known = self._known.setdefault(counter, set())
        for part in reading.parts:
            key = (part.name, part.queue, part.sign)
            known.add(key)
            self._parts.began((counter, key), self._parts.last((counter, key)) or 0, part.value)

    def _queues(self, counter: Tuple[str, Counter], reading: Reading) -> Dict[int, int]:
        sums: Dict[int, int] = {}
        for queue in reading.queues:
            mine = [part for part in reading.parts if part.queue == queue]
            sums[queue] = self._grown((counter, queue), sum(self._value(counter, part) for part in mine))
        return sums

    def _value(self, counter: Tuple[str, Counter], part: Part) -> int:
        return part.sign * (self._parts.last((counter, (part.name, part.queue, part.sign))) or 0)

    def _grown(self, key: Hashable, value: int) -> int:
        """A difference of two counters that were read in one call may be behind by the packets between them."""
        self._told[key] = max(value, self._told.get(key, value))
        return self._told[key]
