# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of each entry of a map, as the constants of bpf/walk.bpf.c. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional

from ..pipeline.expires import offset
from ..pipeline.map_limits import Member, owner
from ..pipeline.map_spec import Role
from ..pipeline.source import PipelineSource

NOWHERE, IN_KEY, IN_VALUE = range(3)
"""enum place of bpf/walk.bpf.c."""

_NS = 1_000_000_000


@dataclass(frozen=True)
class Expiry:
    """``at`` is the offset of the time in the value, ``after`` nanoseconds."""

    at: int
    after: int


@dataclass(frozen=True)
class Questions:
    """``fresh``: whether the entry was there in the walk before."""

    fresh: bool = True
    expires: Optional[Expiry] = None
    owner: Optional[Member] = None

    def constants(self, key_bytes: int, words: int) -> Dict[str, int]:
        expires, owner = self.expires or Expiry(0, 0), self.owner or Member(False, 0, 0)
        return {
            "key_bytes": key_bytes if self.fresh else 0,
            "words": words,
            "expires": int(self.expires is not None),
            "time_at": expires.at,
            "after": expires.after,
            "owner_in": NOWHERE if self.owner is None else IN_KEY if owner.in_key else IN_VALUE,
            "owner_at": owner.offset,
            "owner_bytes": owner.size,
        }


def questions(source: PipelineSource, name: str) -> Questions:
    """What the manifest makes worth asking. New entries the pipeline may count itself, and those of a table a document
    has brought."""
    found, spec = source.maps[name], source.manifest.maps[name]
    expires = None
    if spec.expires is not None:
        expires = Expiry(offset(found, source.btf, spec.expires), spec.expires.after * _NS)
    fresh = spec.role is not Role.CONFIG and spec.health.made is None
    return Questions(fresh, expires, owner(found, source.btf, spec.health))
