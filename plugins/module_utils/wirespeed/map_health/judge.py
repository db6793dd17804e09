# SPDX-License-Identifier: GPL-3.0-or-later
"""From two readings of a map to what a person wants to know of it. Pure.

What fills a map is what it *holds*. In an ordinary hash that is every entry. An LRU map makes room by itself, and what
was used longest ago goes first, so there entries that are over hold nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Tuple

from ..kernel.bpf_map import ARRAY, LRU_HASH, LRU_PERCPU_HASH, NO_COMMON_LRU, PERCPU_ARRAY
from ..model.map_health import Level, MapUse
from ..pipeline.map_limits import MapLimits
from ..pipeline.map_words import type_name

SHARES = 20
"""Entities that are told of one map."""

_LRU, _ARRAYS = (LRU_HASH, LRU_PERCPU_HASH), (ARRAY, PERCPU_ARRAY)
_TAKEN_AT_ONCE = 128  # LOCAL_FREE_TARGET, kernel/bpf/bpf_lru_list.c; Linux 6.18 takes fewer of a small map
_TAKEN_PER_CPU = 4  # PERCPU_FREE_TARGET, of lists that CPUs do not share
_RANK = (Level.OK, Level.WARNING, Level.CRITICAL)


@dataclass(frozen=True)
class Subject:
    """``type`` and ``flags`` are the kernel's numbers, ``cpus`` the possible ones."""

    pipeline: str
    name: str
    type: int
    max_entries: int
    flags: int = 0
    cpus: int = 1

    @property
    def evicts(self) -> bool:
        return self.type in _LRU

    @property
    def room(self) -> int:
        """Entries at which it is full. Of an LRU map each CPU keeps some free ones that others cannot have."""
        if not self.evicts:
            return self.max_entries
        each = _TAKEN_PER_CPU if self.flags & NO_COMMON_LRU else _TAKEN_AT_ONCE
        return max(1, self.max_entries - min(each * self.cpus, self.max_entries // 2))


@dataclass(frozen=True)
class Reading:
    """``at`` in seconds of the monotonic clock. ``fresh``: entries that were not there at the reading before.

    ``made`` and ``failed`` are the pipeline's own counters, ``owners`` entries by entity. ``unknown`` says why
    something that was asked for is not here.
    """

    at: float
    entries: Optional[int] = None
    expired: Optional[int] = None
    fresh: Optional[int] = None
    made: Optional[int] = None
    failed: Optional[int] = None
    owners: Mapping[int, int] = field(default_factory=dict)
    unknown: str = ""


def judged(subject: Subject, limits: MapLimits, before: Optional[Reading], after: Reading) -> MapUse:
    """``before`` is None in the first reading, and where the map is another one now."""
    inserted, removed = _rates(before, after)
    full_in = _full_in(subject, before, after)
    level, why = Level.OK, [after.unknown] if after.unknown else []
    if subject.type in _ARRAYS:
        why.append("an array has all its entries")
    else:
        level, reasons = _level(subject, limits, before, after, full_in)
        why = reasons + why
    return MapUse(
        pipeline=subject.pipeline,
        name=subject.name,
        type=type_name(subject.type).lower(),
        max_entries=subject.max_entries,
        entries=after.entries,
        expired=after.expired,
        inserted_per_s=inserted,
        removed_per_s=removed,
        update_failures=after.failed,
        full_in_s=full_in,
        shares=_shares(after.owners),
        level=level,
        why="; ".join(why),
        share_of=limits.share_of,
        inserted=after.made,
    )


def _rates(before: Optional[Reading], after: Reading) -> Tuple[Optional[float], Optional[float]]:
    """Entries each second that came, and that went.

    Those that came are what the pipeline counted, else those that the reading before did not have; and they are at
    least as many as the map has grown by, where another hand than the pipeline's put entries in too.
    """
    if before is None or before.entries is None or after.entries is None or after.at <= before.at:
        return None, None
    if before.made is not None and after.made is not None:
        came: Optional[int] = after.made - before.made
    else:
        came = after.fresh
    if came is None:
        return None, None
    grown, seconds = after.entries - before.entries, after.at - before.at
    came = max(came, grown, 0)
    return came / seconds, (came - grown) / seconds


def _held(subject: Subject, reading: Reading) -> Optional[int]:
    if reading.entries is None:
        return None
    return reading.entries - (reading.expired or 0) if subject.evicts else reading.entries


def _full_in(subject: Subject, before: Optional[Reading], after: Reading) -> Optional[float]:
    """Seconds, along a straight line through two readings."""
    late = _held(subject, after)
    if late is None or subject.type in _ARRAYS:
        return None
    if late >= subject.room:
        return 0.0
    early = _held(subject, before) if before is not None else None
    if before is None or early is None or late <= early or after.at <= before.at:
        return None
    return (subject.room - late) * (after.at - before.at) / (late - early)


def _level(
    subject: Subject, limits: MapLimits, before: Optional[Reading], after: Reading, full_in: Optional[float]
) -> Tuple[Level, List[str]]:
    found: List[Tuple[Level, str]] = []
    held = _held(subject, after)
    if held is not None:
        share = held / subject.room
        for level, limit in ((Level.CRITICAL, limits.critical), (Level.WARNING, limits.warning)):
            if share >= limit:
                found.append((level, f"{share:.0%} of the room is taken ({level.value} from {limit:.0%})"))
                break
    if full_in is not None and full_in <= limits.full_within:
        found.append((Level.WARNING, f"full in {full_in:.0f} s at this rate" if full_in else _full(subject)))
    if before is not None and before.failed is not None and after.failed is not None and after.failed > before.failed:
        found.append((Level.CRITICAL, f"{after.failed - before.failed} entries found no room since the reading before"))
    worst = max((level for level, dummy in found), key=_RANK.index, default=Level.OK)
    return worst, [text for dummy, text in found]


def _full(subject: Subject) -> str:
    if subject.evicts:
        return "full: each new entry evicts one that is not over, about the longest unused"
    return "full: no new entry finds room"


def _shares(owners: Mapping[int, int]) -> Dict[str, int]:
    biggest = sorted(owners.items(), key=lambda each: (-each[1], each[0]))[:SHARES]
    return {str(owner): count for owner, count in biggest}
