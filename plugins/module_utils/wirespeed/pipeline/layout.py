# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a live map can serve a new program: its sizes, and each member of its key and value.

Neither libbpf's pinning nor bpf_map__reuse_fd looks at members: two swapped fields of the same
size are accepted and every flow is then misread. BTF tells, in well under a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Tuple

from ..kernel import btf as btfs
from ..kernel.bpf_map import ARRAY, MAPS_OF_MAPS, NO_COMMON_LRU, BpfMap, MapInfo
from ..kernel.btf import Btf, Leaf, MapDefinition
from ..kernel.elf import Elf
from ..kernel.libbpf import possible_cpus

# Set by the kernel or by libbpf, not by what the program's author declared.
_IGNORED_FLAGS = 1 << 7  # BPF_F_RDONLY_PROG of .rodata
_MMAPABLE = 1 << 10  # BPF_F_MMAPABLE, which libbpf gives the maps of variables
SECTIONS = (".bss", ".data")


@dataclass(frozen=True)
class Layout:
    """``key`` and ``value`` are empty where the map came without BTF; ``inner`` is of a map of maps.

    ``flags`` without those that no author declares. ``added``: so many entries more than were asked for there may be.
    """

    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    key: Tuple[Leaf, ...] = ()
    value: Tuple[Leaf, ...] = ()
    inner: "Optional[Layout]" = None
    added: int = 0


def declared(wanted: MapDefinition, btf: Btf) -> Layout:
    """Of a map that an object declares."""
    return Layout(
        wanted.type,
        wanted.key_size,
        wanted.value_size,
        wanted.max_entries,
        wanted.flags & ~_IGNORED_FLAGS,
        btf.leaves(wanted.key_type) if wanted.key_type else (),
        btf.leaves(wanted.value_type) if wanted.value_type else (),
        declared(wanted.inner, btf) if wanted.inner else None,
    )


def section(name: str, elf: Elf, btf: Btf) -> Layout:
    """Of the map that libbpf makes of a section of variables."""
    symbols = [symbol for symbol in elf.symbols if symbol.section == name]
    size = next(found.size for found in elf.sections if found.name == name)
    offsets = {symbol.name: symbol.offset for symbol in symbols}
    return Layout(ARRAY, 4, size, 1, _MMAPABLE, (), btf.section_leaves(name, offsets))


def live(found: BpfMap) -> Layout:
    """Of a map in the kernel. An empty map of maps says nothing of what it was made for: its ``inner`` is None."""
    info = found.info
    key, value = _members(info)
    inner = None
    if info.type in MAPS_OF_MAPS:
        for dummy, number in found.each():
            with BpfMap.by_id(int.from_bytes(number, "little")) as first:
                inner = live(first)
            break
    flags = info.flags & ~_IGNORED_FLAGS
    # Lists per CPU are equally long: kernel/bpf/hashtab.c, htab_map_alloc.
    added = possible_cpus() - 1 if flags & NO_COMMON_LRU else 0
    return Layout(info.type, info.key_size, info.value_size, info.max_entries, flags, key, value, inner, added)


def _members(info: MapInfo) -> Tuple[Tuple[Leaf, ...], Tuple[Leaf, ...]]:
    if not info.btf_id:
        return (), ()
    btf = btfs.of_kernel(info.btf_id)
    key, value = info.btf_key_type_id, info.btf_value_type_id
    if value and btf.types[value].kind == btfs.DATASEC:
        return (), btf.section_leaves(btf.types[value].name, {})
    return btf.leaves(key) if key else (), btf.leaves(value) if value else ()


def differences(old: Layout, new: Layout) -> List[str]:
    """Each difference as half a sentence; empty when the map can be handed over as it is."""
    return shape(old, new) + key_differences(old, new) + _compared("value", old.value, new.value) + _inner(old, new)


def key_differences(old: Layout, new: Layout) -> List[str]:
    if old.key_size != new.key_size:
        return [f"key size {new.key_size} was {old.key_size}"]
    return _compared("key", old.key, new.key)


def _compared(part: str, old: Tuple[Leaf, ...], new: Tuple[Leaf, ...]) -> List[str]:
    return compare(part, old, new) if old and new else []


def compare(part: str, old: Tuple[Leaf, ...], new: Tuple[Leaf, ...]) -> List[str]:
    """``value: count u64 at byte 8 was at byte 0``; members are matched by their path."""
    before, after = {leaf.path: leaf for leaf in old}, {leaf.path: leaf for leaf in new}
    found = [f"{part}: {leaf} is gone" for path, leaf in before.items() if path not in after]
    found += [f"{part}: {leaf} is new" for path, leaf in after.items() if path not in before]
    for path, leaf in after.items():
        if path in before and before[path] != leaf:
            found.append(f"{part}: {leaf} was {before[path]}")
    return found


def _inner(old: Layout, new: Layout) -> List[str]:
    if new.inner is None:
        return []
    if old.inner is None:
        return ["its inner maps cannot be compared, because it holds none"]
    return [f"inner map: {difference}" for difference in differences(old.inner, new.inner)]


def _as_large(old: Layout, new: Layout) -> bool:
    return 0 <= old.max_entries - new.max_entries <= old.added


def shape(old: Layout, new: Layout) -> List[str]:
    """All but the key's size, which is a matter of the key."""
    pairs = (
        ("type", old.type, new.type),
        ("value size", old.value_size, new.value_size),
        ("max_entries", old.max_entries, old.max_entries if _as_large(old, new) else new.max_entries),
        ("flags", old.flags, new.flags),
    )
    return [f"{what} {now} was {before}" for what, before, now in pairs if before != now]
