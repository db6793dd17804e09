# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile's wish for what a NIC does not have, of which nobody needs to hear."""

from __future__ import annotations

from typing import Any, Mapping

from .. import expression
from ..errors import BadInput, Place
from ..model.nic import Nic
from ..model.settings import NOT_RUNNING, Setting


def moot(nic: Nic, setting: Setting, value: Any, names: Mapping[str, Any], place: Place, field: str) -> bool:
    """Whether the wish ``value`` has no object here.

    It says so itself (its expression gives none), or it asks irqbalance to keep off interrupts where none
    runs, or where the NIC has no interrupts that one could place.
    """
    if setting is Setting.IRQBALANCE:
        absent = nic.unsupported.get(setting, NOT_RUNNING).startswith(NOT_RUNNING)
        return absent or Setting.IRQ_AFFINITY not in nic.settings
    try:
        return expression.evaluate(value, names, place, field) is None
    except BadInput:
        return False  # it depends on what the NIC does not have, which is told
