# SPDX-License-Identifier: GPL-3.0-or-later
"""From raw counters to the unified vocabulary. Pure.

An alternative counts only when *every* raw name of it is present; a counter without such an
alternative is absent and carries the reason. Absent is never zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Mapping, Optional, Tuple, Union

from .rawstats import RawStats
from .table import Alternative, Counter, CounterTable, Entry, RawName, Source

DEVICE = None
"""In place of a queue number: the raw counter is one for the whole device."""


@dataclass(frozen=True)
class Part:
    """One raw counter that takes part: ``sign`` is +1 or -1, ``queue`` a number or :data:`DEVICE`."""

    name: str
    queue: Optional[int]
    sign: int
    value: int


@dataclass(frozen=True)
class Reading:
    """One unified counter at one instant.

    ``value`` is None when absent; ``why`` is then the reason, else a caveat (may be empty).
    ``way`` is the alternative of the table that was used: scope, confidence and meaning stand there.
    """

    counter: Counter
    value: Optional[int] = None
    why: str = ""
    way: Optional[Alternative] = None
    parts: Tuple[Part, ...] = ()

    @property
    def queues(self) -> Mapping[int, int]:
        """Per queue, where every raw counter of it is per queue; else empty."""
        return per_queue(self.parts)


@dataclass(frozen=True)
class UnifiedCounters:
    """Every word of the vocabulary, present or absent with its reason."""

    readings: Mapping[Counter, Reading] = field(default_factory=dict)

    def value(self, counter: Counter) -> Optional[int]:
        return self.readings[counter].value


def unify(table: CounterTable, raw: RawStats, kernel: Tuple[int, int]) -> UnifiedCounters:
    """``kernel`` (``Node.kernel.version``) ranks alternatives whose names are all present."""
    blocks = _Blocks(raw)
    return UnifiedCounters({counter: _reading(entry, blocks, kernel) for counter, entry in table.entries.items()})


def per_queue(parts: Tuple[Part, ...]) -> Dict[int, int]:
    sums: Dict[int, int] = {}
    for part in parts:
        if part.queue is DEVICE:
            return {}
        sums[part.queue] = sums.get(part.queue, 0) + part.sign * part.value
    return dict(sorted(sums.items()))


def _reading(entry: Entry, blocks: "_Blocks", kernel: Tuple[int, int]) -> Reading:
    lacking: List[str] = []
    usable: List[Tuple[Alternative, Tuple[Part, ...]]] = []
    for way in entry.alternatives:
        found = _parts(way, blocks)
        if isinstance(found, str):
            lacking.append(found)
        else:
            usable.append((way, found))
    if not usable:
        reasons = [entry.absent] if entry.absent else lacking
        return Reading(entry.counter, why="; ".join(dict.fromkeys(reasons)))
    fitting = [item for item in usable if item[0].kernel.holds(kernel)]
    way, parts = (fitting or usable)[0]
    why = "" if fitting else f"the names are those of kernels {way.kernel.text}, this is {kernel[0]}.{kernel[1]}"
    return Reading(entry.counter, sum(part.sign * part.value for part in parts), why, way, parts)


def _parts(way: Alternative, blocks: "_Blocks") -> Union[Tuple[Part, ...], str]:
    """The raw counters of one alternative, or the sentence that says what is missing."""
    parts: List[Part] = []
    covered: Dict[Tuple[Optional[int], ...], str] = {}
    for sign, names in ((1, way.plus), (-1, way.minus)):
        for name in names:
            values = dict(blocks.find(name, way.block))
            if not values:
                return blocks.missing(name, way.block)
            queues = tuple(sorted((queue for queue in values if queue is not DEVICE), key=int))
            if queues:
                covered.setdefault(queues, str(name))
            parts.extend(Part(str(name), queue, sign, value) for queue, value in values.items())
    if len(covered) > 1:
        return "; ".join(f"{name} covers the queues {list(queues)}" for queues, name in covered.items())
    return tuple(parts)


class _Blocks:
    """The raw reading, indexed once. Lines of ``ethtool -S`` also by block, for vmxnet3.

    A block begins at a line whose name has no leading blank and ends at the next such line
    (vmxnet3: ``Rx Queue#`` with the queue as its value, then indented names that repeat).
    """

    def __init__(self, raw: RawStats) -> None:
        self.raw = raw
        self.exact: Dict[str, int] = {}
        self.blocks: Dict[str, Dict[int, Dict[str, int]]] = {}
        current: Dict[str, int] = {}
        for name, value in raw.ethtool:
            self.exact.setdefault(name, value)
            if name[:1].isspace():
                current.setdefault(name.strip(), value)
            else:
                current = self.blocks.setdefault(name, {}).setdefault(value, {})

    def find(self, name: RawName, block: str) -> Iterator[Tuple[Optional[int], int]]:
        """Queue (or :data:`DEVICE`) and value of each raw counter of that name."""
        if name.source is Source.QSTATS:
            return self._queue_stats(name.name)
        if name.source is Source.ETHTOOL_S and block:
            return self._in_blocks(block, name.name.strip())
        if name.source is Source.ETHTOOL_S and name.pattern is not None:
            return self._matching(name.pattern)
        lines = {Source.RTNL: self.raw.link, Source.GROUPS: self.raw.groups}.get(name.source, self.exact)
        return iter([(DEVICE, lines[name.name])] if name.name in lines else [])

    def _queue_stats(self, name: str) -> Iterator[Tuple[Optional[int], int]]:
        for key, values in self.raw.queues.items():
            if name in values:
                yield key[1], values[name]

    def _in_blocks(self, block: str, name: str) -> Iterator[Tuple[Optional[int], int]]:
        for queue, values in self.blocks.get(block, {}).items():
            if name in values:
                yield queue, values[name]

    def _matching(self, pattern: "re.Pattern[str]") -> Iterator[Tuple[Optional[int], int]]:
        for line, value in self.raw.ethtool:
            found = pattern.match(line)
            if found:
                yield int(found.group(1)), value

    def missing(self, name: RawName, block: str) -> str:
        unread = self.raw.unread.get(name.source)
        if unread:
            return f"{name} could not be read: {unread}"
        where = f" in a block {block!r}" if block else ""
        return f"the driver shows no {name}{where}"
