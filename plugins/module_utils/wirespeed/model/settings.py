# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a NIC, and what one of them reads right now."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import FrozenSet, Mapping, Tuple, Union

Value = Union[int, str, bool, Tuple[int, ...]]
"""One value of one setting. A tuple is an RSS indirection table: the queue of each bucket."""

Values = Mapping[str, Value]


class Setting(str, Enum):
    """One room of ``nic/`` each; the value is the word used in profiles, plans and reports."""

    FEATURES = "features"
    MTU = "mtu"
    CHANNELS = "channels"
    RINGS = "rings"
    RSS = "rss"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class SettingFacts:
    """What the kernel says about one setting of one NIC.

    ``values``   current values by key, in the kernel's units (``{"rx": 256, "tx": 256}``).
    ``maxima``   the largest value that the driver states for a key; absent when it states none.
    ``fixed``    keys that this driver cannot change (features marked ``[fixed]``).
    ``requested``  features only: what was asked for, where it differs from what is active.
    """

    values: Values
    maxima: Mapping[str, int] = field(default_factory=dict)
    fixed: FrozenSet[str] = frozenset()
    requested: Values = field(default_factory=dict)
