# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a live map can serve a new program: its sizes, and each member of its key and value.

Neither libbpf's pinning nor bpf_map__reuse_fd looks at members: two swapped fields of the same
size are accepted and every flow is then misread. BTF tells, in well under a millisecond.
"""

from __future__ import annotations

from typing import List, Tuple

from ..kernel import btf as btfs
from ..kernel.bpf_map import BpfMap, MapInfo
from ..kernel.btf import Btf, Leaf, MapDefinition

# Set by the kernel or by libbpf, not by what the program's author declared.
_IGNORED_FLAGS = 1 << 7  # BPF_F_RDONLY_PROG of .rodata


def differences(live: BpfMap, wanted: MapDefinition, wanted_btf: Btf) -> List[str]:
    """Each difference as half a sentence; empty when the map can be handed over as it is."""
    found = _shape(live.info, wanted)
    if found or not wanted.value_type or not live.info.btf_id:
        return found
    live_btf = btfs.of_kernel(live.info.btf_id)
    for part, old, new in (
        ("key", live.info.btf_key_type_id, wanted.key_type),
        ("value", live.info.btf_value_type_id, wanted.value_type),
    ):
        if old and new:
            found += compare(part, live_btf.leaves(old), wanted_btf.leaves(new))
    return found


def compare(part: str, old: Tuple[Leaf, ...], new: Tuple[Leaf, ...]) -> List[str]:
    """``value: count u64 at byte 8 was at byte 0``; members are matched by their path."""
    before, after = {leaf.path: leaf for leaf in old}, {leaf.path: leaf for leaf in new}
    found = [f"{part}: {leaf} is gone" for path, leaf in before.items() if path not in after]
    found += [f"{part}: {leaf} is new" for path, leaf in after.items() if path not in before]
    for path, leaf in after.items():
        if path in before and before[path] != leaf:
            found.append(f"{part}: {leaf} was {before[path]}")
    return found


def _shape(live: MapInfo, wanted: MapDefinition) -> List[str]:
    pairs = (
        ("type", live.type, wanted.type),
        ("key size", live.key_size, wanted.key_size),
        ("value size", live.value_size, wanted.value_size),
        ("max_entries", live.max_entries, wanted.max_entries),
        ("flags", live.flags & ~_IGNORED_FLAGS, wanted.flags & ~_IGNORED_FLAGS),
    )
    return [f"{what} {new} was {old}" for what, old, new in pairs if old != new]
