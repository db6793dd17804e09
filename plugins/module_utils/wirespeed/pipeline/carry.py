# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out what :mod:`.handover` has decided: before the load, before the publish, and after it.

Each part may be repeated after a kill: entries are inserted only where they are missing, and counters are taken out of
their old place in the instruction that reads them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Dict, Mapping, Sequence

from ..errors import Place, Refused
from ..kernel import elf as elfs
from ..kernel import libbpf
from ..kernel.bpf_map import ARRAY, LPM_TRIE, BpfMap
from ..kernel.bpf_object import BpfObject
from .handover import PREDECESSOR, SCRATCH, Hand, Way, promotable
from .moves import converted, table
from .source import RODATA, PipelineSource

COPY, INSERT, ADD = range(3)  # enum mode, bpf/handover.bpf.c
PASSES = 8
FEW = 100
"""Entries that changed during a pass: so few that a further pass would not meet many less."""

_OBJECT = Place("handover.bpf.o")
_TALLY = struct.Struct("<II5Q")
_NUMBER = struct.Struct("<I")


@dataclass(frozen=True)
class Tally:
    """Entries: looked at, written, found in the target already, without room there, without a place there."""

    visited: int = 0
    written: int = 0
    existed: int = 0
    failed: int = 0
    dropped: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.visited + other.visited,
            self.written + other.written,
            self.existed + other.existed,
            self.failed + other.failed,
            self.dropped + other.dropped,
        )


@dataclass(frozen=True)
class Pair:
    """A hand that carries entries, and the two maps."""

    hand: Hand
    old: BpfMap
    new: BpfMap


def fit(
    loaded: BpfObject, source: PipelineSource, hands: Sequence[Hand], live: Mapping[str, BpfMap]
) -> Dict[int, bytes]:
    """Puts the live maps where the object is to use them; what is to be patched in .rodata for it comes back."""
    patches = {}
    ways = {hand.map: hand for hand in hands}
    for name, offset in promotable(source).items():
        hand = ways.get(name)
        if hand is not None and hand.way is Way.PROMOTE:
            loaded.reuse(name + PREDECESSOR, live[name])
            patches[offset] = table(hand.moves)
        else:
            for placeholder in (PREDECESSOR, SCRATCH):
                loaded.leave_out(name + placeholder)
    for hand in hands:
        if hand.way is Way.SHARE:
            loaded.reuse(hand.map, live[hand.map])
    return patches


def require(support: bytes, hands: Sequence[Hand]) -> None:
    """Raises :class:`Refused` before anything is loaded whose entries could not be carried."""
    carried = [hand.map for hand in hands if hand.way.carried]
    if carried and not support:
        raise Refused(
            f"The entries of {', '.join(carried)} cannot be carried into their new layout: the object that does so, "
            "handover.bpf.o, did not come along.",
            "Build it (make bpf), or run the playbook again.",
        )


def rehearse(support: bytes, pairs: Sequence[Pair]) -> None:
    """Lets the verifier look at what will carry the entries, before a publish depends on it. Raises its errors."""
    for pair in pairs:
        if pair.hand.way is Way.REFILL or pair.old.info.type == LPM_TRIE:
            continue
        for mode in (COPY, INSERT) if pair.hand.way is Way.NEWEST else (_mode(pair.hand),):
            with _Handover(support, pair, mode):
                pass


def _mode(hand: Hand) -> int:
    return ADD if hand.way is Way.SUM else INSERT


def copy_before(support: bytes, pairs: Sequence[Pair]) -> None:
    """While the old program still runs: all that is ``newest``, until few entries change during a pass."""
    for pair in pairs:
        if pair.hand.way is not Way.NEWEST:
            continue
        if pair.old.info.type == LPM_TRIE:
            _copy_trie(pair, overwrite=True)
            continue
        with _Handover(support, pair, COPY) as handover:
            for dummy in range(PASSES):
                if handover.run().written <= FEW:
                    break


def finish(support: bytes, pair: Pair) -> Tally:
    """After the publish, when no packet is in the old program any more."""
    if pair.hand.way is Way.REFILL:
        return _refill(pair)
    if pair.old.info.type == LPM_TRIE:
        return _copy_trie(pair, overwrite=False)
    with _Handover(support, pair, _mode(pair.hand)) as handover:
        return handover.run()


class _Handover:
    """bpf/handover.bpf.c, loaded for one pair of maps."""

    def __init__(self, support: bytes, pair: Pair, mode: int) -> None:
        self._cpus = range(libbpf.possible_cpus() if pair.old.info.percpu else 1)
        elf = elfs.parse(support, _OBJECT)
        self._loaded = BpfObject(support, "handover")
        numbers = {
            "mode": mode,
            "percpu": int(pair.old.info.percpu),
            "remapped": int(pair.hand.remap is not None),
            "value_bytes": pair.new.info.value_size,
        }
        patches = {elf.variable(RODATA, name).offset: _NUMBER.pack(number) for name, number in numbers.items()}
        patches[elf.variable(RODATA, "moves").offset] = table(pair.hand.moves)
        try:
            self._load(pair, patches)
        except BaseException:
            self._loaded.close()
            raise

    def _load(self, pair: Pair, patches: Dict[int, bytes]) -> None:
        self._loaded.patch_rodata(patches)
        places = pair.hand.remap or ()
        with BpfMap.create(ARRAY, "remap", (4, 4), max(1, len(places))) as remap:
            remap.update_many([(_NUMBER.pack(old), _NUMBER.pack(place)) for old, place in enumerate(places)])
            for name, real in (("source", pair.old), ("target", pair.new), ("remap", remap)):
                self._loaded.reuse(name, real)
            self._loaded.load()

    def run(self) -> Tally:
        """Each CPU's values of a per-CPU map in a walk of their own."""
        total = Tally()
        dummy, program = next(self._loaded.programs())
        with program:
            for cpu in self._cpus:
                total += Tally(*_TALLY.unpack(program.run(_TALLY.pack(cpu, *[0] * 6)))[2:])
        return total

    def __enter__(self) -> "_Handover":
        return self

    def __exit__(self, *dummy: object) -> None:
        self._loaded.close()


def _copy_trie(pair: Pair, overwrite: bool) -> Tally:
    """In user space: bpf_for_each_map_elem does not walk a trie."""
    width = pair.new.info.value_size
    entries = [(key, converted(value, pair.hand.moves, width)) for key, value in pair.old.items()]
    if overwrite:
        pair.new.update_many(entries)
        return Tally(len(entries), len(entries))
    written = sum(pair.new.insert(key, value) for key, value in entries)
    return Tally(len(entries), written, len(entries) - written)


def _refill(pair: Pair) -> Tally:
    """The same inner maps; what the new program's side has put there by now stays."""
    tally = Tally()
    for key, number in pair.old.each():
        if pair.new.lookup(key) is not None:
            tally += Tally(1, 0, 1)
            continue
        with BpfMap.by_id(int.from_bytes(number, "little")) as inner:
            pair.new.update(key, inner.fd.to_bytes(4, "little"))
            tally += Tally(1, 1)
    return tally
