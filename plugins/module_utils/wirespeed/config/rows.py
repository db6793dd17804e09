# SPDX-License-Identifier: GPL-3.0-or-later
"""One map's rows in the kernel's layout: read back whole, changed by a difference, and looked at again."""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterator, List, Optional, Set, Tuple

from ..kernel import bpf_batch
from ..kernel.bpf_batch import Progress
from ..kernel.bpf_map import LPM_TRIE, BpfMap
from . import live
from .difference import Difference, compare, split, there
from .packed import Packed
from .tables import Table

SAMPLE = 4096
"""Rows that are looked up again after a write, spread over all that were written; the kernel has acknowledged each."""


def read(found: BpfMap, table: Table, progress: Optional[Progress] = None) -> Tuple[Packed, FrozenSet[bytes]]:
    """In the kernel's order, with the first CPU's values; and the keys whose value is another one for another CPU."""
    keys, raw = bpf_batch.read(found, progress)
    first, *others = bpf_batch.columns(found, raw)
    packed = Packed(found.info.key_size, found.info.value_size, keys, first)
    torn: Set[bytes] = set()
    for other in others:
        if other != first:
            pairs = zip(split(keys, packed.key_size), split(first, packed.value_size), split(other, packed.value_size))
            torn |= {key for key, one, another in pairs if one != another}
    return (there(packed, torn) if table.array else packed), frozenset(torn)


def difference(found: BpfMap, table: Table, wanted: Packed, progress: Optional[Progress] = None) -> Difference:
    """Between what the map holds and ``wanted``."""
    present, torn = read(found, table, progress)
    return compare(present, there(wanted) if table.array else wanted, torn, table.counts)


def write(found: BpfMap, table: Table, change: Difference, progress: Optional[Progress] = None) -> None:
    """New rows go in before old ones go out, so that a prefix that is only split or merged stays covered throughout;
    the other way round only where the map has no room for both."""
    roomy = table.array or change.present + change.added.count <= found.info.max_entries
    if not roomy:
        _remove(found, table, change.removed, progress)
    for rows in (change.added, change.changed):
        bpf_batch.update(found, rows.keys, rows.values, progress)
    if roomy:
        _remove(found, table, change.removed, progress)


def _remove(found: BpfMap, table: Table, rows: Packed, progress: Optional[Progress]) -> None:
    if table.array:
        live.clear(found, list(split(rows.keys, rows.key_size)))
    else:
        bpf_batch.delete(found, rows.keys, progress)


def check(found: BpfMap, table: Table, change: Difference) -> str:
    """Empty when a sample of what was written reads back so, else a sentence."""
    for rows in (change.added, change.changed):
        for key, value in _spread(rows):
            raw = found.lookup(key)
            if raw is None or (not table.counts and set(found.split(raw)) != {value}):
                return f"table {table.name}: the row with key {key.hex()} is {'not there' if raw is None else 'another'}"
    if found.info.type == LPM_TRIE:
        return ""  # a lookup also finds what covers the row that is gone
    for key, dummy in _spread(change.removed):
        raw = found.lookup(key)
        if raw is not None and not (table.array and not raw.strip(b"\0")):
            return f"table {table.name}: the row with key {key.hex()} is still there"
    return ""


def _spread(rows: Packed) -> Iterator[Tuple[bytes, bytes]]:
    step = max(1, rows.count // SAMPLE)
    for at in range(0, rows.count, step):
        yield (
            bytes(rows.keys[at * rows.key_size : (at + 1) * rows.key_size]),
            bytes(rows.values[at * rows.value_size : (at + 1) * rows.value_size]),
        )


def snapshot(found: BpfMap, table: Table, progress: Optional[Progress] = None) -> Packed:
    """What the map holds, in the table's order."""
    present, dummy = read(found, table, progress)
    rows: Dict[bytes, bytes] = dict(present.items())
    ordered: List[bytes] = sorted(rows, key=table.codec.order)
    return Packed(present.key_size, present.value_size, b"".join(ordered), b"".join(rows[key] for key in ordered))
