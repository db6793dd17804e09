# SPDX-License-Identifier: GPL-3.0-or-later
"""bpf/walk.bpf.c on one map: counts its entries in the kernel, a piece at a time, and copies none of them out."""

from __future__ import annotations

import mmap
import struct
import time
from dataclasses import dataclass
from typing import Dict, Mapping, Optional

from ..errors import Place
from ..kernel import bpf_batch
from ..kernel import elf as elfs
from ..kernel.bpf_iter import Iterator
from ..kernel.bpf_map import BpfMap
from ..kernel.bpf_object import BpfObject
from ..pipeline.source import RODATA
from .prints import Prints
from .questions import Questions

OWNERS = 16384
"""Entities that are told apart; more are counted together."""

_OBJECT = Place("walk.bpf.o")
_FIRST = bytes(4)
_TALLY = struct.Struct("<7Q")
_WORD_BYTES = 8


@dataclass(frozen=True)
class Walked:
    """``at`` in seconds of the monotonic clock. ``fresh``: entries that the walk before did not meet; None in the
    first one, and where nobody asks. ``unowned``: entries of entities beyond :data:`OWNERS`."""

    at: float
    entries: int
    expired: Optional[int]
    fresh: Optional[int]
    owners: Mapping[int, int]
    unowned: int = 0


class Walk:
    """Loaded for one map and what is asked of it. Raises KernelRefusal where this kernel has no such iterators."""

    def __init__(self, code: bytes, target: BpfMap, asked: Questions) -> None:
        self._asked = asked
        self._prints = Prints.for_entries(target.info.max_entries) if asked.fresh else Prints(1)
        self._maps: Dict[str, BpfMap] = {}
        self._memory: Optional[mmap.mmap] = None
        with BpfObject(code, "walk") as loaded:
            self._load(loaded, code, target)
            self._maps = {name.removeprefix("walk"): each for name, each in loaded.maps()}
            try:
                dummy, program = next(loaded.programs())
                with program:
                    self._iterator = Iterator.create(program, target)
                self._memory = mmap.mmap(self._maps["prints"].fd, 2 * self._prints.side_bytes)
            except BaseException:
                self.close()
                raise

    def _load(self, loaded: BpfObject, code: bytes, target: BpfMap) -> None:
        elf, numbers = elfs.parse(code, _OBJECT), self._asked.constants(target.info.key_size, self._prints.words)
        variables = {name: elf.variable(RODATA, name) for name in numbers}
        patches = {each.offset: numbers[name].to_bytes(each.size, "little") for name, each in variables.items()}
        loaded.patch_rodata(patches)
        loaded.resize("prints", 2 * self._prints.words)
        loaded.resize("owners", OWNERS if self._asked.owner else 1)
        loaded.load()

    def run(self) -> Walked:
        at = time.monotonic()
        self._clear(self._prints.side)
        start = [time.clock_gettime_ns(time.CLOCK_MONOTONIC), self._prints.side, 0, 0, 0, 0, 0]
        self._maps[".bss"].update(_FIRST, _TALLY.pack(*start))
        self._iterator.run()
        tally = _TALLY.unpack(self._maps[".bss"].lookup(_FIRST) or b"")
        dummy, dummy, entries, expired, fresh, squares, unowned = tally
        return Walked(
            at,
            entries,
            expired if self._asked.expires else None,
            self._prints.turn(fresh, squares) if self._asked.fresh else None,
            self._owners() if self._asked.owner else {},
            unowned,
        )

    def _clear(self, side: int) -> None:
        if self._memory is not None:
            start = side * self._prints.side_bytes
            self._memory[start : start + self._prints.side_bytes] = bytes(self._prints.side_bytes)

    def _owners(self) -> Dict[int, int]:
        owners = self._maps["owners"]
        keys, counts = bpf_batch.read(owners)
        bpf_batch.delete(owners, keys)
        pairs = zip(struct.iter_unpack("<Q", keys), struct.iter_unpack("<Q", counts))
        return {owner: count for (owner,), (count,) in pairs}

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()
        for each in self._maps.values():
            each.close()
        iterator = getattr(self, "_iterator", None)
        if iterator is not None:
            iterator.close()
