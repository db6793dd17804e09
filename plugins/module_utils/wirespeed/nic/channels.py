# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels: how many receive, transmit and combined queues with their interrupts."""

from __future__ import annotations

from typing import Dict, Mapping

from ..errors import NotSupported, OutOfRange
from ..kernel import ethtool_netlink
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted


def read(port: Port) -> SettingFacts:
    sizes = ethtool_netlink.channels(port)
    if not sizes.current:
        raise NotSupported(f"ethtool CHANNELS_GET {port.name} (no counts)")
    return SettingFacts(sizes.current, sizes.maxima)


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """Counts are taken as asked; receiving and sending each need one (net/ethtool/channels.c)."""
    settled: Dict[str, Value] = {key: counted(facts, key, value, 0) for key, value in want.items()}
    held = {**facts.values, **settled}
    for direction in ("rx", "tx"):
        if not held.get(direction) and not held.get("combined"):
            key = direction if direction in settled else "combined"
            raise OutOfRange(key, settled.get(key, 0), f"at least one {direction} or combined channel")
    return settled


def queues_made(values: Values, direction: str) -> int:
    """How many ``rx`` or ``tx`` queues these counts make."""
    return sum(int(str(values.get(key, 0))) for key in (direction, "combined"))


def write(port: Port, values: Values) -> None:
    ethtool_netlink.set_channels(port, {key: int(str(value)) for key, value in values.items()})
