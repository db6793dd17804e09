# SPDX-License-Identifier: GPL-3.0-or-later
"""One map's rows in the kernel's layout: read back whole, changed by a difference, and looked at again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import FrozenSet, Iterator, Optional, Set, Tuple

from ..kernel import bpf_batch
from ..kernel.bpf_batch import Progress
from ..kernel.bpf_map import LPM_TRIE, BpfMap
from . import live
from .difference import Difference, compare, split, there
from .order import Twice, arranged
from .packed import Packed
from .tables import Table

SAMPLE = 4096
"""Rows that are looked up again after a write, spread over all that were written; the kernel has acknowledged each."""


@dataclass(frozen=True)
class Held:
    """What a map holds: ``rows`` in the kernel's order, with the first CPU's values. ``torn`` are the keys whose value
    is another one for another CPU."""

    rows: Packed
    torn: FrozenSet[bytes] = frozenset()


def read(found: BpfMap, table: Table, progress: Optional[Progress] = None) -> Held:
    keys, raw = bpf_batch.read(found, progress)
    first, *others = bpf_batch.columns(found, raw)
    packed = Packed(found.info.key_size, found.info.value_size, keys, first)
    torn: Set[bytes] = set()
    for other in others:
        if other != first:
            pairs = zip(split(keys, packed.key_size), split(first, packed.value_size), split(other, packed.value_size))
            torn |= {key for key, one, another in pairs if one != another}
    return Held(there(packed, torn) if table.array else packed, frozenset(torn))


def compared(held: Held, table: Table, wanted: Packed) -> Difference:
    return compare(held.rows, there(wanted) if table.array else wanted, held.torn, table.counts)


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
                return (
                    f"table {table.name}: the row with key {key.hex()} is {'not there' if raw is None else 'another'}"
                )
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


def ordered(held: Held, table: Table) -> Packed:
    """In the table's order."""
    try:
        return arranged(held.rows, table.codec.significance, 1)
    except Twice:  # keys that no row encodes to, written behind our back: alike in the bytes that count
        rows = dict(held.rows.items())
        keys = sorted(rows)
        return replace(held.rows, keys=b"".join(keys), values=b"".join(map(rows.__getitem__, keys)))
