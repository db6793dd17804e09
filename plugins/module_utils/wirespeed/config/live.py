# SPDX-License-Identifier: GPL-3.0-or-later
"""A table's rows in the kernel: read them back, and change them by batches."""

from __future__ import annotations

from typing import Dict, Sequence, Tuple

from ..errors import Place
from ..kernel.bpf_map import BpfMap
from .tables import Table

STEP = Place("step")
_TRIES = 10


def read(bpf_map: BpfMap, table: Table) -> Tuple[str, ...]:
    """Canonical rows in table order, decoded from the live map."""
    return table.rows(_present(bpf_map, table).items())


def change(bpf_map: BpfMap, table: Table, add: Sequence[str], remove: Sequence[str]) -> None:
    """Rows that are there already, or gone already, are no error: an undo may meet a half-done step.

    New rows go in before old ones go out, so that a prefix that is only split or merged stays
    covered throughout; the other way round only where the map has no room for both. A row that is there
    already is not written, so that what its program has counted in it stays; a record with another value is, and
    the old row with its key then is not taken out. Raises
    :class:`BadInput` before the first write when a row is bad or the result does not fit.
    """
    adding, removing = dict(table.entries(add, STEP).values()), table.keys(remove, STEP)
    live = _present(bpf_map, table)
    new = [(key, value) for key, value in adding.items() if key not in live]
    changed = [] if table.counts else [(key, value) for key, value in adding.items() if live.get(key, value) != value]
    old = [key for key in removing.values() if key in live and key not in adding]
    table.check_room(len(live) + len(new) - len(old), STEP)
    if len(live) + len(new) <= table.max_entries:
        _add(bpf_map, new + changed)
        _remove(bpf_map, table, old)
    else:
        _remove(bpf_map, table, old)
        _add(bpf_map, new + changed)


def _present(bpf_map: BpfMap, table: Table) -> Dict[bytes, bytes]:
    """Key -> value, of the first CPU."""
    size, absent = len(table.value), bytes(bpf_map.stride)
    return {
        key: raw[:size] for key, raw in bpf_map.items() if not table.array or (raw != absent and _says_so(bpf_map, raw))
    }


def _says_so(bpf_map: BpfMap, raw: bytes) -> bool:
    """By any CPU. The bytes that pad a CPU's value say nothing."""
    return any(value.strip(b"\0") for value in bpf_map.split(raw))


def _add(bpf_map: BpfMap, entries: Sequence[Tuple[bytes, bytes]]) -> None:
    bpf_map.update_many([(key, bpf_map.spread(value)) for key, value in entries])


def _remove(bpf_map: BpfMap, table: Table, keys: Sequence[bytes]) -> None:
    if table.array:
        clear(bpf_map, keys)
    else:
        bpf_map.delete_many(keys)


def clear(array: BpfMap, keys: Sequence[bytes]) -> None:
    """An array's elements cannot be deleted (kernel/bpf/arraymap.c array_map_delete_elem), so zero is written.

    A program that counts in the value may have read it before that and write it back after, so each is looked at
    again.
    """
    absent = bytes(array.stride)
    for dummy in range(_TRIES):
        array.update_many([(key, absent) for key in keys])
        keys = [key for key in keys if _says_so(array, array.lookup(key) or absent)]
        if not keys:
            return
