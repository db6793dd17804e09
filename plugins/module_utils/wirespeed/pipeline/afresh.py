# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps of a loaded program put back to how its load made them, so that one load serves packet after packet."""

from __future__ import annotations

from typing import List, Tuple

from ..kernel.bpf_map import ARRAY, HASH_TYPES, LPM_TRIE, MAPS_OF_MAPS, PERCPU_ARRAY, PROG_ARRAY, BpfMap
from ..kernel.btf import OPAQUE, MapDefinition
from .source import PipelineSource

_EMPTIED = (*HASH_TYPES, LPM_TRIE)
_REWRITTEN = (ARRAY, PERCPU_ARRAY)
# What a program only reads; with PERF_EVENT_ARRAY, DEVMAP, CPUMAP, XSKMAP, DEVMAP_HASH of include/uapi/linux/bpf.h.
_STEADY = (*MAPS_OF_MAPS, PROG_ARRAY, 4, 14, 16, 17, 25)
_READ_ONLY = 1 << 7  # BPF_F_RDONLY_PROG: libbpf's .rodata, frozen
_MOST_BYTES = 1 << 20


def possible(source: PipelineSource) -> bool:
    """Whether all its maps can be put back by writing bytes, and in less time than another load takes."""
    maps = source.maps.values()
    arrays = sum(found.max_entries * found.value_size for found in maps if found.type in _REWRITTEN)
    return arrays <= _MOST_BYTES and all(_plain(source, found) for found in maps)


def _plain(source: PipelineSource, found: MapDefinition) -> bool:
    """A timer or a list in a value is the kernel's, and no byte to be written back."""
    if found.type not in (*_EMPTIED, *_REWRITTEN, *_STEADY):
        return False
    leaves = source.btf.leaves(found.value_type) if found.value_type else ()
    return not any(leaf.kind.startswith(OPAQUE) for leaf in leaves)


class Afresh:
    """``maps`` are all of a program's, as its load made them; they stay the caller's."""

    def __init__(self, maps: List[BpfMap]) -> None:
        self._emptied = [each for each in maps if each.info.type in _EMPTIED]
        self._rewritten: List[Tuple[BpfMap, List[Tuple[bytes, bytes]]]] = [
            (each, list(each.items()))
            for each in maps
            if each.info.type in _REWRITTEN and not each.info.flags & _READ_ONLY
        ]

    def begin(self) -> None:
        """Raises KernelRefusal."""
        for found in self._emptied:
            found.delete_many([key for key, dummy in found.items()])
        for found, elements in self._rewritten:
            found.update_many(elements)
