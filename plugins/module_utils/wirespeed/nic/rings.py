# SPDX-License-Identifier: GPL-3.0-or-later
"""Rings: descriptors per queue.

Over netlink, which gives a reason for a refusal; where the kernel has no such message for this
driver, through the ``ethtool`` Python binding.
"""

from __future__ import annotations

from typing import Dict, Mapping

from ..errors import NotSupported
from ..kernel import ethtool_binding, ethtool_netlink
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted


def read(port: Port) -> SettingFacts:
    try:
        sizes = ethtool_netlink.rings(port)
        current, maxima = sizes.current, sizes.maxima
    except NotSupported as over_netlink:
        try:
            current, maxima = ethtool_binding.ring_sizes(port.name)
        except NotSupported:
            raise over_netlink from None
    if not current:
        raise NotSupported(f"ethtool RINGS_GET {port.name} (no sizes)")
    return SettingFacts(current, maxima)


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """As asked, within the driver's limits: profiles know how each driver rounds."""
    return {key: counted(facts, key, value, 1) for key, value in want.items()}


def write(port: Port, values: Values) -> None:
    sizes = {key: int(str(value)) for key, value in values.items()}
    try:
        ethtool_netlink.set_rings(port, sizes)
    except NotSupported:
        ethtool_binding.set_ring_sizes(port.name, sizes)
