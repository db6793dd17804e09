# SPDX-License-Identifier: GPL-3.0-or-later
"""A map in words: its type, its key and its value, for a person who did not write the program. Pure."""

from __future__ import annotations

from ..kernel.btf import Btf, Leaf, MapDefinition

_TYPES = (
    "UNSPEC", "HASH", "ARRAY", "PROG_ARRAY", "PERF_EVENT_ARRAY", "PERCPU_HASH", "PERCPU_ARRAY", "STACK_TRACE",
    "CGROUP_ARRAY", "LRU_HASH", "LRU_PERCPU_HASH", "LPM_TRIE", "ARRAY_OF_MAPS", "HASH_OF_MAPS", "DEVMAP", "SOCKMAP",
    "CPUMAP", "XSKMAP", "SOCKHASH", "CGROUP_STORAGE", "REUSEPORT_SOCKARRAY", "PERCPU_CGROUP_STORAGE", "QUEUE", "STACK",
    "SK_STORAGE", "DEVMAP_HASH", "STRUCT_OPS", "RINGBUF", "INODE_STORAGE", "TASK_STORAGE", "BLOOM_FILTER",
    "USER_RINGBUF", "CGRP_STORAGE", "ARENA",
)  # fmt: skip
"""enum bpf_map_type, include/uapi/linux/bpf.h, Linux 6.18."""

_MOST_MEMBERS = 12


def type_name(number: int) -> str:
    return _TYPES[number] if number < len(_TYPES) else f"type {number}"


def words(found: MapDefinition, btf: Btf) -> str:
    """``LPM_TRIE of 1048576 entries; key {prefixlen u32, address u8[4]}, value u8``."""
    key = layout(found.key_type, found.key_size, btf)
    value = layout(found.value_type, found.value_size, btf)
    return f"{type_name(found.type)} of {found.max_entries} entries; key {key}, value {value}"


def layout(kind: int, size: int, btf: Btf) -> str:
    """From the size alone where the object does not tell the type."""
    if not kind:
        return f"of {size} bytes" if size else "none"
    leaves = btf.leaves(kind)
    if len(leaves) == 1 and not leaves[0].path:
        return _leaf(leaves[0])
    shown = [_leaf(leaf) for leaf in leaves[:_MOST_MEMBERS]]
    rest = [f"and {len(leaves) - _MOST_MEMBERS} more"] if len(leaves) > _MOST_MEMBERS else []
    return f"{{{', '.join(shown + rest)}}}"


def _leaf(leaf: Leaf) -> str:
    times = f"[{leaf.count}]" if leaf.count != 1 else ""
    return f"{leaf.path} {leaf.kind}{leaf.bits}{times}".strip()
