# SPDX-License-Identifier: GPL-3.0-or-later
"""A table's rows in the kernel: read them back, and change them by batches."""

from __future__ import annotations

from typing import Sequence, Tuple

from ..errors import Place
from ..kernel.bpf_map import BpfMap
from .tables import Table

STEP = Place("step")


def read(bpf_map: BpfMap, table: Table) -> Tuple[str, ...]:
    """Canonical rows in table order, decoded from the live map."""
    return table.rows([key for key, dummy in bpf_map.items()])


def change(bpf_map: BpfMap, table: Table, add: Sequence[str], remove: Sequence[str]) -> None:
    """Rows that are there already, or gone already, are no error: an undo may meet a half-done step.

    New rows go in before old ones go out, so that a prefix that is only split or merged stays
    covered throughout; the other way round only where the map has no room for both. Raises
    :class:`BadInput` before the first write when a row is bad or the result does not fit.
    """
    adding, removing = table.keys(add, STEP), table.keys(remove, STEP)
    live = {key for key, dummy in bpf_map.items()}
    new = [key for key in adding.values() if key not in live]
    old = [key for key in removing.values() if key in live]
    table.check_room(len(live) + len(new) - len(old), STEP)
    if len(live) + len(new) <= table.max_entries:
        _add(bpf_map, table, new)
        bpf_map.delete_many(old)
    else:
        bpf_map.delete_many(old)
        _add(bpf_map, table, new)


def _add(bpf_map: BpfMap, table: Table, keys: Sequence[bytes]) -> None:
    bpf_map.update_many([(key, table.codec.value) for key in keys])
