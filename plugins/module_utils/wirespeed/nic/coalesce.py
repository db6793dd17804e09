# SPDX-License-Identifier: GPL-3.0-or-later
"""Interrupt coalescing: how long and for how many frames a queue waits before it interrupts."""

from __future__ import annotations

from typing import Dict, FrozenSet, Mapping

from ..kernel import ethtool_parameters
from ..kernel.ethtool_parameters import COALESCE
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted_or_switched

MOVED_BY = {"adaptive-rx": ("rx-usecs", "rx-frames"), "adaptive-tx": ("tx-usecs", "tx-frames")}
"""Adaptive moderation (lib/dim, or the driver's own) chooses these anew many times a second."""


def read(port: Port) -> SettingFacts:
    values = ethtool_parameters.read(COALESCE, port)
    return SettingFacts(values, floating=_floating(values))


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """As asked: profiles know how each driver rounds.

    A fixed time and adaptive moderation exclude each other. Whoever asks for a fixed one turns
    moderation off; whoever asks for moderation gets it, and a fixed time beside it means nothing.
    """
    settled = {key: counted_or_switched(facts, key, value) for key, value in want.items()}
    for switch, keys in MOVED_BY.items():
        if facts.values.get(switch) and switch not in settled and any(key in settled for key in keys):
            settled[switch] = False
    moved = _floating({**facts.values, **settled})
    return {key: value for key, value in settled.items() if key not in moved}


def write(port: Port, values: Values) -> None:
    """Moderation on or off first, then what is fixed.

    bnxt_en drops the times of a call that turns moderation off (bnxt_set_coalesce, Linux 6.1 to
    6.12), vmxnet3 refuses those of a call that leaves it on.
    """
    moved = _floating(values)
    switches = {key: value for key, value in values.items() if key in MOVED_BY}
    fixed = {key: value for key, value in values.items() if key not in MOVED_BY and key not in moved}
    for part in (switches, fixed):
        if part:
            ethtool_parameters.write(COALESCE, port, part)


def _floating(values: Values) -> FrozenSet[str]:
    return frozenset(key for switch, keys in MOVED_BY.items() if values.get(switch) for key in keys if key in values)
