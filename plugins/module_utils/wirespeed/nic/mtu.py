# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU: largest packet without link header, in bytes."""

from __future__ import annotations

from typing import Dict, Mapping

from ..kernel import rtnetlink
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted

_SMALLEST = 68  # ETH_MIN_MTU


def read(port: Port) -> SettingFacts:
    """``maxima`` is the driver's present limit, which some lower while XDP is attached (bnxt_en, ena, veth's peer)."""
    link = rtnetlink.link(port.ifindex)
    return SettingFacts({"mtu": link.mtu}, {"mtu": link.max_mtu} if link.max_mtu else {})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    return {key: counted(facts, key, value, _SMALLEST) for key, value in want.items()}


def write(port: Port, values: Values) -> None:
    rtnetlink.set_mtu(port, int(str(values["mtu"])))
