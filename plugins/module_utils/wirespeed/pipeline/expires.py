# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest says of the end of a map's entries, and where in the map's value that stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping

from ..errors import BadInput, Place
from ..kernel.bpf_map import HASH, LRU_HASH
from ..kernel.btf import Btf, MapDefinition

BYTES = 8
"""Of a time."""


@dataclass(frozen=True)
class Expires:
    """An entry is over ``after`` seconds behind the time in its ``member``, in nanoseconds of the kernel's clock."""

    member: str
    after: int = 0

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Expires":
        return cls(said["member"], said.get("after", 0))

    def to_json(self) -> Dict[str, Any]:
        return {"member": self.member, "after": self.after}


def offset(found: MapDefinition, btf: Btf, said: Expires) -> int:
    """Of the member, in bytes. Raises :class:`BadInput` where no time can be read and no entry deleted."""
    field = f"maps.{found.name}.expires"
    if found.type not in (HASH, LRU_HASH):
        problem = f"stands on a map of type {found.type}."
        raise BadInput(Place("manifest"), field, problem, "Only a hash or an LRU hash has entries to take out.")
    leaves = btf.leaves(found.value_type) if found.value_type else ()
    times = {leaf.path: leaf.offset // 8 for leaf in leaves if leaf.bits == 8 * BYTES and leaf.count == 1}
    if said.member not in times:
        problem = f"{said.member!r} is no number of 64 bits in the map's value."
        raise BadInput(Place("manifest"), f"{field}.member", problem, f"There are: {', '.join(times) or 'none'}.")
    return times[said.member]
