# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest says of one map, and what follows from it in a reload."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from ..config.field_spec import FieldSpec
from .expires import Expires
from .map_limits import MapLimits

ALLOW, REFUSE = "allow", "refuse"
Size = Union[int, str]
"""Entries: a number, or an expression over the node (``sizes.py``)."""


class Role(str, Enum):
    """What a map is for, which decides its fate in a reload.

    ``config``  written from the intent; each generation has its own.
    ``state``   what the program learned (flows); handed to the next generation.
    ``stats``   what the program counted; handed to the next generation.
    ``scratch`` nothing worth keeping.
    """

    CONFIG = "config"
    STATE = "state"
    STATS = "stats"
    SCRATCH = "scratch"

    @property
    def handed_over(self) -> bool:
        return self in (Role.STATE, Role.STATS)


class OnLayoutChange(str, Enum):
    """What a reload does with a map whose layout or size differs in the new object.

    ``convert`` hands its entries over by the names of their members, where that is possible; else refuses.
    ``refuse``  refuses the reload.
    ``reset``   begins empty.
    """

    CONVERT = "convert"
    REFUSE = "refuse"
    RESET = "reset"


class Merge(str, Enum):
    """How entries come into a map of another layout when the program cannot fetch them itself.

    ``sum``      every number is a counter: the new map begins empty, the old one is added to it after the publish.
    ``newest``   copied before the publish, again what changed meanwhile; what the new program wrote stays.
    ``keep_new`` entries that the new program has not made by itself are copied after the publish.
    """

    SUM = "sum"
    NEWEST = "newest"
    KEEP_NEW = "keep_new"


class Lru(str, Enum):
    """How the CPUs share the lists from which an LRU map takes and evicts entries.

    ``common``  all of them: the map holds what was used last, whichever CPU used it.
    ``per_cpu`` each has its own part (BPF_F_NO_COMMON_LRU): inserts never wait, a CPU evicts while others have room.
    """

    COMMON = "common"
    PER_CPU = "per_cpu"


@dataclass(frozen=True)
class MapSpec:
    """``table`` names the row codec of a config map (``config/tables.py``), ``value`` what it writes for each row,
    ``order`` the byte order of a port in the key: host, network, or what the key's type says.

    ``fields`` are what it says of the columns of a table of records; with ``overlap`` ``refuse`` no prefix may lie
    within another one of the same table. ``needs`` names constants without which the program does not look into
    it. ``sums`` names members of the value that are counters which several CPUs add
    to (``docs/state.md``). ``lru`` None: as the object declares it. ``expires``: which entries ``expiry.py``
    takes out. ``health``: what ``map_health`` judges it by.
    """

    role: Role
    table: Optional[str] = None
    value: int = 1
    order: Optional[str] = None
    max_entries: Optional[Size] = None
    on_layout_change: OnLayoutChange = OnLayoutChange.CONVERT
    merge: Optional[Merge] = None
    sums: Tuple[str, ...] = ()
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)
    overlap: str = ALLOW
    needs: Tuple[str, ...] = ()
    lru: Optional[Lru] = None
    expires: Optional[Expires] = None
    health: MapLimits = MapLimits()

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "MapSpec":
        merge = said.get("merge")
        return cls(
            role=Role(said["role"]),
            table=said.get("table"),
            value=said.get("value", 1),
            order=said.get("order"),
            max_entries=said.get("max_entries"),
            on_layout_change=OnLayoutChange(said.get("on_layout_change", "convert")),
            merge=None if merge is None else Merge(merge),
            sums=tuple(said.get("sums", ())),
            fields={name: FieldSpec.from_json(each) for name, each in said.get("fields", {}).items()},
            overlap=said.get("overlap", ALLOW),
            needs=tuple(said.get("needs", ())),
            lru=None if said.get("lru") is None else Lru(said["lru"]),
            expires=None if said.get("expires") is None else Expires.from_json(said["expires"]),
            health=MapLimits.from_json(said.get("health", {})),
        )

    def to_json(self) -> Dict[str, Any]:
        said: Dict[str, Any] = {"role": self.role.value}
        if self.table is not None:
            said.update(table=self.table, value=self.value)
        if self.overlap != ALLOW:
            said["overlap"] = self.overlap
        if self.role.handed_over:
            said.update(on_layout_change=self.on_layout_change.value, sums=list(self.sums))
        left_out_when_empty = {
            "order": self.order,
            "fields": {name: each.to_json() for name, each in self.fields.items()},
            "needs": list(self.needs),
            "lru": self.lru and self.lru.value,
            "expires": self.expires and self.expires.to_json(),
            "health": self.health.to_json(),
            "max_entries": self.max_entries,
            "merge": self.merge and self.merge.value,
        }
        return {**said, **{word: value for word, value in left_out_when_empty.items() if value}}
