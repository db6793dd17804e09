# SPDX-License-Identifier: GPL-3.0-or-later
"""One trace from its first packet to its last: reads the ring, writes the file, and accounts for every packet."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable, Sequence, Tuple

from . import pcapng
from .options import Options
from .output import Closed, Output
from .pcapng import Interface, Packet, Statistics
from .record import Tally, record
from .tracer import Tracer
from .ways import Way
from .words import Commentator

_AT_ONCE = 4096
_IDLE_S = 0.02
_FOLLOW_S = 0.2
_LAST_WORDS_S = 5.0
"""How long the reader of a pipe may take for the end of the file."""
_STATISTICS_BYTES = 256


@dataclass(frozen=True)
class Outcome:
    """``tally`` is the kernel's count; ``written`` packets are in the file, ``undelivered`` ones were in the ring when
    the file was full or its reader had gone. ``ended`` says why, ``told`` what happened meanwhile."""

    tally: Tally
    written: int
    undelivered: int
    size: int
    seconds: float
    ended: str
    told: Sequence[str]

    @property
    def lost(self) -> int:
        return self.tally.limited + self.tally.no_room + self.undelivered


class Session:
    """``stop`` is asked often: whether the user wants the end."""

    def __init__(
        self,
        tracer: Tracer,
        way: Way,
        commentator: Commentator,
        options: Options,
        output: Output,
        stop: Callable[[], bool],
    ) -> None:
        self._tracer, self._way, self._words = tracer, way, commentator
        self._options, self._output, self._stop = options, output, stop
        self._written = self._undelivered = 0
        self._ended = ""
        self._full = False
        self._deadline = 0.0

    def run(self, head: bytes, interface: Interface) -> Outcome:
        """``head`` begins the file. Raises what :meth:`.Way.begin` raises, or what writing does, after the undo."""
        begun, started = time.time_ns(), time.monotonic()
        self._deadline = started + self._options.seconds
        try:
            self._write(head + pcapng.interface(interface))
            self._way.begin()
            started = time.monotonic()
            self._deadline = started + self._options.seconds
            try:
                self._watch()
            finally:
                self._way.end()
        finally:
            seconds = time.monotonic() - started
        self._deadline = time.monotonic() + _LAST_WORDS_S
        while self._batch():
            pass
        tally = self._tracer.tally()
        self._conclude(tally, begun)
        return Outcome(
            tally, self._written, self._undelivered, self._output.size, seconds, self._ended, tuple(self._way.told)
        )

    def _watch(self) -> None:
        looked = time.monotonic()
        while not self._over():
            if not self._batch():
                time.sleep(_IDLE_S)
            if time.monotonic() - looked >= _FOLLOW_S:
                looked = time.monotonic()
                if not self._way.follow():
                    self._ended = "what was traced is not on the NIC any more"

    def _over(self) -> bool:
        if not self._ended:
            if self._stop():
                self._ended = "it was told to end"
            elif time.monotonic() >= self._deadline:
                self._ended = "its time was over"
        return bool(self._ended)

    def _batch(self) -> int:
        """How many records were taken out of the ring."""
        taken = self._tracer.take(_AT_ONCE)
        if taken:
            blocks, number = self._blocks(taken)
            if self._write(blocks):
                self._written += number
                self._undelivered += len(taken) - number
            else:
                self._undelivered += len(taken)
        return len(taken)

    def _blocks(self, taken: Sequence[bytes]) -> Tuple[bytes, int]:
        """As many of these as there is room for in the file."""
        to_wall = time.time_ns() - time.monotonic_ns()
        room = 0 if self._full else self._options.max_bytes - _STATISTICS_BYTES - self._output.size
        blocks, size = [], 0
        for raw in taken:
            found = record(raw)
            block = pcapng.packet(
                Packet(
                    found.at + to_wall,
                    found.data,
                    found.length,
                    self._words.comment(found.note),
                    found.lost,
                    found.id,
                    found.queue,
                    found.note.action,
                )
            )
            size += len(block)
            if size > room:
                self._full, self._ended = True, self._ended or "the file was full"
                break
            blocks.append(block)
        return b"".join(blocks), len(blocks)

    def _write(self, data: bytes) -> bool:
        """Whether it is in the file."""
        if self._ended == _READER_GONE:
            return False
        try:
            self._output.write(data, self._given_up)
        except Closed:
            self._ended = _READER_GONE
            return False
        return True

    def _given_up(self) -> bool:
        return self._stop() or time.monotonic() >= self._deadline

    def _conclude(self, tally: Tally, begun: int) -> None:
        lost = tally.limited + tally.no_room + self._undelivered
        self._write(
            pcapng.statistics(Statistics(begun, time.time_ns(), tally.seen, tally.matched, lost, self._written))
        )


_READER_GONE = "the reader of the pipe had gone"
