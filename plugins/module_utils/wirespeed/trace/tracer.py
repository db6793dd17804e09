# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracer in the kernel: its program with what was chosen as constants, its ring and its counters."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from ..errors import BadInput, Place
from ..kernel import btf as btfs
from ..kernel import elf as elfs
from ..kernel import libbpf, pcap
from ..kernel.bpf_map import PROG_ARRAY, BpfMap
from ..kernel.bpf_object import BpfObject
from ..kernel.bpf_prog import BpfProgram
from ..kernel.pcap import Row
from ..kernel.ringbuf import RingBuffer
from ..model.intent import unknown_word
from ..pipeline import constants
from ..pipeline.traced import NOTES
from .options import Options
from .record import ROOM, ROWS, Tally, tally
from .words import ACTIONS, masks

_FIRST = b"\0\0\0\0"
_FILTER_BYTES = 2048
"""How deep a filter looks into a packet of which less is kept."""
_SECOND = 10**9
_BURST = _SECOND // 10
"""Of a second that was quiet, a tenth may be made up for."""


@dataclass(frozen=True)
class Choice:
    """``constants`` of bpf/trace/choice.h by name, and the ``rows`` of the filter."""

    constants: Mapping[str, int]
    rows: Sequence[Row]


def choice(options: Options, ifindex: int, names: Sequence[str], place: Place) -> Choice:
    """``names`` of the pipeline's verdicts, in the order of their numbers. Raises :class:`BadInput`."""
    rows = pcap.compiled(options.filter, place) if options.filter else []
    if len(rows) > ROWS:
        raise BadInput(place, "filter", f"takes {len(rows)} steps; {ROWS} are possible.", "Make it simpler.")
    try:
        actions, verdicts = masks(options.verdicts, names)
    except KeyError as unknown:
        raise unknown_word(place, "verdicts", unknown.args[0], [*ACTIONS, *names]) from None
    if verdicts >> 64:
        raise BadInput(place, "verdicts", "only the first 64 verdicts of a pipeline can be chosen.")
    values: Dict[str, int] = {
        "ifindex": ifindex,
        "actions": actions,
        "verdicts": verdicts,
        "sample": options.sample,
        "snaplen": options.snaplen,
        "window": min(ROOM, max(options.snaplen, _FILTER_BYTES if rows else 0)),
        "rows": len(rows),
        "cpus": libbpf.possible_cpus(),
    }
    if options.rate:
        values.update(interval=_SECOND // options.rate, burst=_BURST)
    for name, wanted in (("customer", options.customer), ("policy", options.policy)):
        if wanted is not None:
            values.update({name: wanted, f"of_{name}": 1})
    return Choice(values, rows)


class Tracer:
    """One loaded tracer; nothing of it is pinned, so it goes with this process."""

    def __init__(self, code: bytes, name: str, chosen: Choice, options: Options) -> None:
        self.maps: Dict[str, BpfMap] = {}
        self._code, self._name, self._chosen, self._ring_bytes = code, name, chosen, options.ring_bytes
        self._stack = ExitStack()
        self.ring: Optional[RingBuffer] = None

    def load(self, target: "Optional[Tuple[BpfProgram, str]]" = None, **more: int) -> BpfProgram:
        """Another program over the same maps; the caller closes it.

        ``target`` is the program at whose exit it is to sit, and that function's name. Raises the errors of loading.
        """
        place = Place(f"{self._name}.bpf.o")
        elf = elfs.parse(self._code, place)
        btf = btfs.of_object(elf.section(".BTF"), place)
        with BpfObject(self._code, self._name) as loaded:
            loaded.patch_rodata(constants.encode({**self._chosen.constants, **more}, elf, btf, place))
            for name, found in self.maps.items():
                loaded.reuse(name, found)
            if not self.maps:
                loaded.resize("records", 1 << (self._ring_bytes - 1).bit_length())  # a ring is a power of two
            if target is not None:
                loaded.at_exit_of(*target)
            loaded.load()
            if not self.maps:
                self._begin(loaded)
            return next(program for dummy, program in loaded.programs())

    def _begin(self, loaded: BpfObject) -> None:
        for name, found in loaded.maps():
            self._stack.enter_context(found)
            if "." not in name:
                self.maps[name] = found
        rows = [(number.to_bytes(4, "little"), pcap.packed(row)) for number, row in enumerate(self._chosen.rows)]
        for key, value in rows:
            self.maps["filter"].update(key, value)
        self.ring = RingBuffer(self.maps["records"])

    def slot(self) -> BpfMap:
        """A program array of one, in which a pipeline finds its tracer; the kernel empties it with its last user."""
        made = BpfMap.create(PROG_ARRAY, "ws_tracer", (4, 4), 1)
        return self._stack.enter_context(made)

    @property
    def notes(self) -> BpfMap:
        return self.maps[NOTES]

    def take(self, most: int) -> List[bytes]:
        return self.ring.take(most) if self.ring else []

    def tally(self) -> Tally:
        return tally(self.maps["tallies"].lookup_percpu(_FIRST))

    def close(self) -> None:
        if self.ring:
            self.ring.close()
        self._stack.close()
