# SPDX-License-Identifier: GPL-3.0-or-later
"""Energy-Efficient Ethernet (IEEE 802.3az): whether an idle link may sleep, which costs microseconds to wake.

``tx-timer`` is the time in microseconds before sleep. Which link modes may sleep stays as it is.
"""

from __future__ import annotations

from typing import Dict, Mapping

from ..kernel import ethtool_parameters
from ..kernel.ethtool_parameters import EEE
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted_or_switched


def read(port: Port) -> SettingFacts:
    return SettingFacts(ethtool_parameters.read(EEE, port))


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    return {key: counted_or_switched(facts, key, value) for key, value in want.items()}


def write(port: Port, values: Values) -> None:
    ethtool_parameters.write(EEE, port, values)
