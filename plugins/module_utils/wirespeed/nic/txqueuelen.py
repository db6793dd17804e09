# SPDX-License-Identifier: GPL-3.0-or-later
"""The length of the transmit queue in packets, before the driver's ring: what pfifo-like qdiscs hold."""

from __future__ import annotations

from typing import Dict, Mapping

from ..kernel import rtnetlink
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted

_KEY = "txqueuelen"


def read(port: Port) -> SettingFacts:
    return SettingFacts({_KEY: rtnetlink.link(port.ifindex).txqueuelen})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    return {key: counted(facts, key, value, 0) for key, value in want.items()}


def write(port: Port, values: Values) -> None:
    rtnetlink.set_txqueuelen(port, int(str(values[_KEY])))
