# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of a setting the profiles and the intent of one NIC name: what has to be read for them."""

from __future__ import annotations

from typing import Dict, Sequence, Tuple

from ..model.intent import NicIntent
from ..model.nic import Nic
from ..model.node import Node
from ..model.settings import Setting
from . import match
from .document import ProfileSet
from .merge import merge


def keys_asked(
    profiles: ProfileSet, nic: Nic, node: Node, intent: NicIntent, settings: Sequence[Setting]
) -> Dict[Setting, Tuple[str, ...]]:
    """By setting, without those of which no key is named. The intent's null removes a key."""
    merged = merge(match.select(profiles, nic, node, intent.profile), intent.workload.value)
    found: Dict[Setting, Tuple[str, ...]] = {}
    for setting in settings:
        wanted = {key: entry.part("value") for key, entry in merged.section("tuning", setting.value).items()}
        wanted.update(intent.tuning.get(setting.value, {}))
        keys = tuple(key for key, value in wanted.items() if value is not None)
        if keys:
            found[setting] = keys
    return found
