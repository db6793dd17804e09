# SPDX-License-Identifier: GPL-3.0-or-later
"""NIC, maps, NIC: two such readings bound what each NIC counter did between the two map readings.

The maps cannot be read in the same instant as the NIC. A NIC counter's growth between the two map
readings lies between (first NIC reading of the later sandwich - second of the earlier) and (second
of the later - first of the earlier). With no traffic at the edges both are equal, and exact.
Absolute values are never compared: they start at different times (driver load, map creation).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from .table import Alternative, Counter
from .unify import DEVICE, Reading, UnifiedCounters
from .verdicts import VerdictDelta, VerdictReading
from .verdicts import delta as verdict_delta

Key = Tuple[str, Optional[int], int]


@dataclass(frozen=True)
class Sandwich:
    """``first`` and ``second`` are the NIC, ``verdicts`` the maps between them.

    ``life`` names the facts under which counters keep counting (program, carrier changes): where two
    sandwiches differ in it, no window lies between them.
    ``began``, ``ended`` are monotonic nanoseconds. ``quiet``: see :func:`settled`.
    """

    first: UnifiedCounters
    second: UnifiedCounters
    verdicts: Optional[VerdictReading]
    life: Mapping[str, str] = field(default_factory=dict)
    began: int = 0
    ended: int = 0
    quiet: bool = False


@dataclass(frozen=True)
class Span:
    """Growth of one counter over the window, at least ``low`` and at most ``high``.

    Both are None when it cannot be told; ``why`` says why, else it is a caveat (may be empty).
    ``queues`` is the span of each queue, where the driver tells.
    """

    counter: Counter
    low: Optional[int]
    high: Optional[int]
    why: str = ""
    way: Optional[Alternative] = None
    queues: Mapping[int, Tuple[int, int]] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        return self.low is not None


@dataclass(frozen=True)
class Window:
    """``invalid`` lists what makes the two ends incomparable; then no invariant is judged.

    ``seconds`` is the time between the map readings, ``quiet`` that both ends were without traffic.
    """

    spans: Mapping[Counter, Span]
    verdicts: Optional[VerdictDelta]
    seconds: float
    quiet: bool
    invalid: Tuple[str, ...] = ()


def take(
    nics: Mapping[str, Callable[[], UnifiedCounters]],
    verdicts: Optional[Callable[[], VerdictReading]],
    life: Callable[[str], Mapping[str, str]],
    clock: Callable[[], int],
) -> Dict[str, Sandwich]:
    """One sandwich for each NIC around one reading of the maps that they share.

    ``clock`` gives monotonic nanoseconds, ``life`` the facts of the NIC of that name.
    """
    lives = {name: life(name) for name in nics}
    began = clock()
    first = {name: read() for name, read in nics.items()}
    judged = verdicts() if verdicts else None
    second = {name: read() for name, read in nics.items()}
    ended = clock()
    return {name: Sandwich(first[name], second[name], judged, lives[name], began, ended) for name in nics}


def settled(again: Callable[[], Dict[str, Sandwich]], pause: Callable[[], None], tries: int) -> Dict[str, Sandwich]:
    """Takes sandwiches, ``pause`` between them, until two in a row are alike: then nothing is under way.

    After ``tries`` the last one is returned as it is: traffic goes on.
    """
    last = again()
    for dummy in range(tries):
        pause()
        now = again()
        if all(_alike(last[name], sandwich) for name, sandwich in now.items()):
            return {name: replace(sandwich, quiet=True) for name, sandwich in now.items()}
        last = now
    return last


def _alike(one: Sandwich, other: Sandwich) -> bool:
    ends = [(one.first, other.second), (other.first, other.second)]
    return one.verdicts == other.verdicts and all(
        early.readings[counter].parts == reading.parts
        for early, late in ends
        for counter, reading in late.readings.items()
    )


def window(start: Sandwich, end: Sandwich) -> Window:
    """What happened between two sandwiches."""
    spans: Dict[Counter, Span] = {}
    invalid: List[str] = [
        f"{name} changed from {start.life.get(name)!r} to {now!r}"
        for name, now in end.life.items()
        if start.life.get(name) != now
    ]
    for counter in end.second.readings:
        spans[counter] = _span(counter, start, end, invalid)
    verdicts = None
    if start.verdicts is not None and end.verdicts is not None:
        verdicts = verdict_delta(start.verdicts, end.verdicts)
        if verdicts.problem:
            invalid.append(verdicts.problem)
    seconds = ((end.began + end.ended) - (start.began + start.ended)) / 2e9
    return Window(spans, verdicts, seconds, start.quiet and end.quiet, tuple(dict.fromkeys(invalid)))


def _span(counter: Counter, start: Sandwich, end: Sandwich, invalid: List[str]) -> Span:
    readings = [u.readings[counter] for u in (start.first, start.second, end.first, end.second)]
    last = readings[-1]
    for reading in readings:
        if reading.value is None or reading.way is None:
            return Span(counter, None, None, reading.why, reading.way)
    tables = [_by_key(reading) for reading in readings]
    if any(table.keys() != tables[0].keys() for table in tables):
        invalid.append(f"the raw counters of {counter} are not the same at both ends (queues came or went)")
        return Span(counter, None, None, "its raw counters changed in the window", last.way)
    width = last.way.width if last.way else 64
    device: List[int] = [0, 0]
    queues: Dict[int, List[int]] = {}
    for key in tables[0]:
        a1, b1, a2, b2 = unwrapped([table[key] for table in tables], width)
        if not a1 <= b1 <= a2 <= b2:
            invalid.append(f"{key[0]}{_of(key)} went back from {max(a1, b1)} to {min(a2, b2)}: it was reset")
            return Span(counter, None, None, "a raw counter was reset in the window", last.way)
        low, high = (a2 - b1, b2 - a1) if key[2] > 0 else (a1 - b2, b1 - a2)
        sums = [device] if key[1] is DEVICE else [device, queues.setdefault(key[1], [0, 0])]
        for total in sums:
            total[0] += low
            total[1] += high
    whole = {queue: (low, high) for queue, (low, high) in sorted(queues.items())} if last.queues else {}
    return Span(counter, device[0], device[1], last.why, last.way, whole)


def unwrapped(values: List[int], width: int) -> List[int]:
    """Successive values of one counter, made monotonic where it wrapped at ``width`` bits.

    A fall from the upper half is a wrap of a narrow counter; any other fall is a reset and stays one.
    """
    out: List[int] = []
    carry = 0
    for i, value in enumerate(values):
        if i and width < 64 and value < values[i - 1] and values[i - 1] >> (width - 1):
            carry += 1 << width
        out.append(value + carry)
    return out


def _by_key(reading: Reading) -> Dict[Key, int]:
    return {(part.name, part.queue, part.sign): part.value for part in reading.parts}


def _of(key: Key) -> str:
    return "" if key[1] is DEVICE else f" of queue {key[1]}"
