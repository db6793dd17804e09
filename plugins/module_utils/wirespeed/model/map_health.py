# SPDX-License-Identifier: GPL-3.0-or-later
"""How a map of a live pipeline fares: for people, for reports and for the exporter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Mapping, Optional


class Level(str, Enum):
    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class MapUse:
    """What cannot be told is None, and ``why`` says why.

    ``type`` is the kernel's word in small letters, ``lru_hash``. ``max_entries`` of a table with two sides is that of
    one. ``expired`` are over but still there; None without an expiry rule. ``inserted_per_s`` and ``removed_per_s``
    (deleted, evicted or swept) lie between two readings. ``inserted`` and ``update_failures``: as often as the pipeline
    counted that it put an entry in, and that there was no room. ``full_in_s``: at the rate between the two readings;
    None where the map does not grow. ``shares`` are entries by entity, the biggest first; ``share_of`` is the member
    that tells the entity.
    """

    pipeline: str
    name: str
    type: str
    max_entries: int
    entries: Optional[int]
    expired: Optional[int]
    inserted_per_s: Optional[float]
    removed_per_s: Optional[float]
    update_failures: Optional[int]
    full_in_s: Optional[float]
    shares: Mapping[str, int]
    level: Level
    why: str
    share_of: str = ""
    inserted: Optional[int] = None
