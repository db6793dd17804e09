# SPDX-License-Identifier: GPL-3.0-or-later
"""Rings: descriptors per queue, and what newer kernels set with them (buffer length, header split, push).

Over netlink, which gives a reason for a refusal; where the kernel has no such message for this
driver, through the ``ethtool`` Python binding.
"""

from __future__ import annotations

from typing import Dict, Mapping

from ..errors import NotSupported
from ..kernel import ethtool_binding, ethtool_netlink
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted, switched

_FROM_ZERO = frozenset({"hds-thresh", "tx-push-buf-len"})


def read(port: Port) -> SettingFacts:
    """The kernel tells ``tx-push`` and ``rx-push`` of every driver, also of those that refuse to set them."""
    try:
        told = ethtool_netlink.rings(port)
        current, maxima, extras = told.current, told.maxima, told.extras
    except NotSupported as over_netlink:
        try:
            current, maxima = ethtool_binding.ring_sizes(port.name)
        except NotSupported:
            raise over_netlink from None
        extras = {}
    if not current:
        raise NotSupported(f"ethtool RINGS_GET {port.name} (no sizes)")
    return SettingFacts({**current, **extras}, maxima)


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """As asked, within the driver's limits: profiles know how each driver rounds."""
    settled: Dict[str, Value] = {}
    for key, value in want.items():
        if isinstance(facts.values.get(key), bool):
            settled[key] = switched(facts, key, value)
        else:
            settled[key] = counted(facts, key, value, 0 if key in _FROM_ZERO else 1)
    return settled


def write(port: Port, values: Values) -> None:
    numbers = {key: value if isinstance(value, bool) else int(str(value)) for key, value in values.items()}
    try:
        ethtool_netlink.set_rings(port, numbers)
    except NotSupported:
        if not set(numbers) <= ethtool_binding.RING_KEYS:
            raise
        ethtool_binding.set_ring_sizes(port.name, {key: int(value) for key, value in numbers.items()})
