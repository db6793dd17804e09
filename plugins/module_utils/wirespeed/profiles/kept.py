# SPDX-License-Identifier: GPL-3.0-or-later
"""What a NIC has, as something to ask for again: the values that a change beside them must not cost.

Who asks for single keys only (module ``nic``, merged) wants everything else to stay. What Wirespeed
wrote and the driver forgets at one of the plan's own operations (virtio_net its RSS table at a change of
the channels) is therefore wanted as it is, and the planner writes it again after that operation.
"""

from __future__ import annotations

from typing import Optional

from ..model.intent import NicIntent
from ..model.nic import Nic
from ..model.settings import Setting, SettingFacts, Value
from .merge import Merged

_TABLE, _CPUS = "indirection", "cpus"


def kept(nic: Nic, merged: Merged, intent: NicIntent, setting: Setting, key: str) -> Optional[Value]:
    """The value to keep, or None where there is nothing that this driver could forget.

    Only what was written in the NIC's present epoch: of older writing it is not known whether the
    device still has it. A list of CPUs by queue says nothing about another number of queues.
    """
    facts = nic.settings.get(setting)
    forgets = setting.value in (*merged.section("undone_by"), *merged.section("reset_by"))
    if facts is None or not forgets or nic.witness.get(setting) != nic.epoch:
        return None
    if key not in facts.values or key in facts.floating or key in facts.fixed:
        return None
    value = portable(facts, key)
    by_queue = key == _CPUS and not str(value).isalpha()
    return None if by_queue and Setting.CHANNELS.value in intent.tuning else value


def portable(facts: SettingFacts, key: str) -> Value:
    """The value as requested; an even RSS table by its words, which mean the same over other queues."""
    value = facts.requested.get(key, facts.values[key])
    if key != _TABLE or not isinstance(value, tuple) or not value:
        return value
    used = max(int(queue) for queue in value) + 1
    if value != tuple(bucket % used for bucket in range(len(value))):
        return value
    return "equal" if used == facts.maxima.get(key, 0) + 1 else f"equal {used}"
