# SPDX-License-Identifier: GPL-3.0-or-later
"""What a map of a foreign object is probably for, with the reason, so that its author can agree or not. Pure.

In doubt a map is handed over: kept by a reload, it loses nothing. ``config`` is guessed only where the intent can write
rows, because each generation begins with its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping, Optional, Tuple

from ..config import sides, tables
from ..config.tables import RECORDS
from ..errors import BadInput
from ..kernel.btf import Btf, MapDefinition
from .manifest import VERDICT_MAP
from .map_spec import Role
from .map_words import type_name

_BIG_VALUE = 256  # bytes: more than counters need
_COUNTERS = re.compile(r"stat|count|metric|verdict|packets|pkts|bytes|hits|drops", re.IGNORECASE)

_BY_TYPE: Mapping[str, Tuple[Role, str]] = {
    "PROG_ARRAY": (Role.SCRATCH, "the loader fills it with programs of the object itself"),
    "PERF_EVENT_ARRAY": (Role.SCRATCH, "events pass through it to a reader and do not stay"),
    "RINGBUF": (Role.SCRATCH, "events pass through it to a reader and do not stay"),
    "USER_RINGBUF": (Role.SCRATCH, "messages pass through it and do not stay"),
    "STACK_TRACE": (Role.SCRATCH, "stack traces are for a reader at the moment"),
    "LRU_HASH": (Role.STATE, "an LRU hash is what a program learns by itself"),
    "LRU_PERCPU_HASH": (Role.STATE, "an LRU hash is what a program learns by itself"),
    "HASH": (Role.STATE, "entries that the program or another tool made would be missed after a reload"),
    "ARRAY": (Role.STATE, "what the program or another tool wrote would be missed after a reload"),
    "LPM_TRIE": (Role.STATE, "its key is more than a prefix, so entries come from another tool"),
}
_FILLED_FROM_OUTSIDE = (Role.STATE, "another tool fills it, and would have to fill it again after a reload")


@dataclass(frozen=True)
class Guess:
    """``table`` is how rows of a config map are written."""

    role: Role
    why: str
    table: Optional[str] = None


def guess(found: MapDefinition, btf: Btf) -> Guess:
    if sides.has_sides(found):
        prefixes = _is_table(sides.side_of(found), "prefix_set", btf)
        return Guess(
            Role.CONFIG, "a table with two sides, which is filled whole", "prefix_set" if prefixes else RECORDS
        )
    kind = type_name(found.type)
    if kind == "LPM_TRIE" and _is_table(found, "prefix_set", btf):
        return Guess(Role.CONFIG, "a trie of address prefixes, which tables of the intent can fill", "prefix_set")
    if kind in ("PERCPU_ARRAY", "PERCPU_HASH"):
        return _per_cpu(found, btf)
    return Guess(*_BY_TYPE.get(kind, _FILLED_FROM_OUTSIDE))


def _per_cpu(found: MapDefinition, btf: Btf) -> Guess:
    if found.name == VERDICT_MAP:
        return Guess(Role.STATS, "the SDK counts verdicts in a map of this name")
    members = [leaf.path for leaf in btf.leaves(found.value_type)] if found.value_type else []
    if any(_COUNTERS.search(name) for name in (found.name, *members)):
        return Guess(Role.STATS, "values per CPU with the name of counters")
    if found.max_entries == 1 and found.value_size > _BIG_VALUE:
        return Guess(Role.SCRATCH, "one big value per CPU is room to work in")
    return Guess(Role.STATE, "what the program or another tool wrote would be missed after a reload")


def _is_table(found: MapDefinition, kind: str, btf: Btf) -> bool:
    try:
        tables.table(found, kind, btf)
    except BadInput:
        return False
    return True
