# SPDX-License-Identifier: GPL-3.0-or-later
"""Pause frames (IEEE 802.3x): whether the NIC may stop its link partner, and lets itself be stopped."""

from __future__ import annotations

from typing import Dict, Mapping

from ..errors import OutOfRange
from ..kernel import ethtool_parameters
from ..kernel.ethtool_parameters import PAUSE
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import switched

_AUTONEG = "autoneg"
_NEGOTIATED = ("rx", "tx")


def read(port: Port) -> SettingFacts:
    """Under autonegotiation many drivers report in ``rx`` and ``tx`` what came out of it (igb, ixgbe, e1000e)."""
    values = ethtool_parameters.read(PAUSE, port)
    negotiated = frozenset(key for key in _NEGOTIATED if key in values and values.get(_AUTONEG))
    return SettingFacts(values, floating=negotiated)


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """``rx`` and ``tx`` are settings only without autonegotiation."""
    settled: Dict[str, Value] = {key: switched(facts, key, value) for key, value in want.items()}
    if not settled.get(_AUTONEG, facts.values.get(_AUTONEG)):
        return settled
    directions = [key for key in _NEGOTIATED if key in settled]
    if directions and _AUTONEG not in settled:
        raise OutOfRange(directions[0], settled[directions[0]], "true or false together with autoneg: false")
    return {key: value for key, value in settled.items() if key == _AUTONEG}


def write(port: Port, values: Values) -> None:
    ethtool_parameters.write(PAUSE, port, values)
