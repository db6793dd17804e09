# SPDX-License-Identifier: GPL-3.0-or-later
"""The arrays that hold the two sides of each table, filled all at once.

libbpf would write one element after the other, and after each the kernel waits for a grace period
(kernel/bpf/syscall.c, maybe_wait_bpf_programs), some ten milliseconds, though no program runs yet. Writers that wait
together wait once.
"""

from __future__ import annotations

from contextlib import ExitStack
from threading import Thread
from typing import Collection, Dict, List, Mapping

from ..kernel.bpf_map import ARRAY, ARRAY_OF_MAPS, BpfMap
from ..kernel.bpf_object import BpfObject
from ..kernel.btf import OPAQUE, STRUCT, Btf, MapDefinition
from ..kernel.btf_blank import KEY, VALUE, blank
from . import sides

_FD = _INDEX = 4


class Outer:
    """Of one object: made before it is loaded, filled after. ``without`` are tables that it shares with others."""

    def __init__(
        self, opened: BpfObject, definitions: Mapping[str, MapDefinition], btf: Btf, without: Collection[str] = ()
    ) -> None:
        """``definitions`` are of the sizes that the object is loaded with, ``btf`` is where their types are.

        What belongs to the kernel in a value (a lock) only libbpf's own array takes: it is left to libbpf.
        """
        self._stack = ExitStack()
        self._made: Dict[str, BpfMap] = {}
        for table in sides.tables(definitions):
            side = sides.side_of(definitions[table])
            if table not in without and not _has_kernels_own(side, btf):
                self._made[table] = self._stack.enter_context(_array(side, btf))
                opened.reuse(table, self._made[table])

    def fill(self, loaded: BpfObject) -> None:
        """Raises KernelRefusal."""
        writes: List[_Write] = []
        with ExitStack() as stack:
            found = {name: stack.enter_context(each) for name, each in loaded.maps()}
            for table, outer in self._made.items():
                writes += [_Write(outer, index, found[side]) for index, side in enumerate(sides.names(table))]
            for write in writes:
                write.start()
            for write in writes:
                write.join()
        for write in writes:
            if write.error is not None:
                raise write.error

    def __enter__(self) -> "Outer":
        return self

    def __exit__(self, *dummy: object) -> None:
        self._stack.close()


class _Write(Thread):
    def __init__(self, outer: BpfMap, index: int, side: BpfMap) -> None:
        super().__init__(name=f"{outer.name} {index}", daemon=True)
        self._outer, self._index, self._side = outer, index, side
        self.error: "Exception | None" = None

    def run(self) -> None:
        try:
            self._outer.update(self._index.to_bytes(_INDEX, "little"), self._side.fd.to_bytes(_FD, "little"))
        except Exception as error:  # raised again by who waits
            self.error = error


def _has_kernels_own(side: MapDefinition, btf: Btf) -> bool:
    return bool(side.value_type) and any(leaf.kind.startswith(OPAQUE) for leaf in btf.leaves(side.value_type))


def _array(side: MapDefinition, btf: Btf) -> BpfMap:
    """Only arrays must be as large as their template (kernel/bpf/arraymap.c, array_map_meta_equal)."""
    sizes = (side.key_size, side.value_size)
    entries = side.max_entries if side.type == ARRAY else 1
    with ExitStack() as stack:
        types = None
        if side.value_type and btf.types[btf.plain(side.value_type)].kind == STRUCT:
            types = (stack.enter_context(blank(*sizes)), KEY, VALUE)
        template = BpfMap.create(side.type, "ws_template", sizes, entries, flags=side.flags, types=types)
        stack.enter_context(template)
        return BpfMap.create(ARRAY_OF_MAPS, side.name[:15], (_INDEX, _FD), sides.SIDES, template)
