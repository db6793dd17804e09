# SPDX-License-Identifier: GPL-3.0-or-later
"""Private flags: switches that only one driver has, by the name that the driver gives them."""

from __future__ import annotations

from typing import Dict, Mapping

from ..errors import NotSupported
from ..kernel import ethtool_netlink
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import switched


def read(port: Port) -> SettingFacts:
    flags = ethtool_netlink.private_flags(port)
    if not flags:
        raise NotSupported(f"ethtool PRIVFLAGS_GET {port.name} (no flags)")
    return SettingFacts(flags)


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    return {key: switched(facts, key, value) for key, value in want.items()}


def write(port: Port, values: Values) -> None:
    """Reads no result: a driver may say yes and keep a flag as it was, which the read-back finds."""
    ethtool_netlink.set_private_flags(port, {name: bool(value) for name, value in values.items()})
