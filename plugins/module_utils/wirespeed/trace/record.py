# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tracer wrote for a packet, and what it counted: bpf/trace/record.h in Python. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Iterable

_RECORD = struct.Struct("=QQIIIIIIIHH")
_TALLY = struct.Struct("=5Q")
OWNED, DRY_RUN, READY = 1, 2, 4  # enum ws_note_flags, bpf/include/wirespeed_trace.h
ROOM = 16384
"""Bytes of a packet that can be looked at and kept."""
ROWS = 1024
"""Of a filter: FILTER_ROWS of bpf/trace/filter.h."""


@dataclass(frozen=True)
class Note:
    """What became of a packet. ``flags`` say which of the other members mean anything: OWNED, DRY_RUN, READY."""

    customer: int
    policy: int
    action: int
    verdict: int
    flags: int


@dataclass(frozen=True)
class Record:
    """``at`` in ns of CLOCK_MONOTONIC; ``lost`` packets had matched since the record before."""

    at: int
    id: int
    lost: int
    queue: int
    length: int
    note: Note
    data: bytes


@dataclass(frozen=True)
class Tally:
    """Packets. ``limited`` (by the rate) and ``no_room`` (in the ring) are what the tracer had to let go."""

    seen: int = 0
    matched: int = 0
    written: int = 0
    limited: int = 0
    no_room: int = 0


def record(raw: bytes) -> Record:
    at, number, lost, queue, length, captured, *note = _RECORD.unpack_from(raw)
    return Record(at, number, lost, queue, length, Note(*note), raw[_RECORD.size : _RECORD.size + captured])


def tally(cells: Iterable[bytes]) -> Tally:
    """The sum over all CPUs."""
    columns = zip(*(_TALLY.unpack(cell) for cell in cells))
    return Tally(*map(sum, columns))
