# SPDX-License-Identifier: GPL-3.0-or-later
"""RFS: how many flows each receive queue remembers, to hand their packets to the CPU of their reader.

Works only beside ``host.rps-sock-flow-entries``, which holds the flows of all queues together.

``flows-per-queue`` is one number for all queues, a power of two (net/core/net-sysfs.c
store_rps_dev_flow_table_cnt rounds up, Linux 6.1 to 7.2). Where somebody gave them different ones
it reads as a text with one number for each, so that an undo can give those back.
"""

from __future__ import annotations

from typing import Dict, List, Mapping

from ..errors import NotSupported, OutOfRange
from ..kernel import netdev_sysfs
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted, power_of_two

KEY = "flows-per-queue"
_FILE = "rps_flow_cnt"


def read(port: Port) -> SettingFacts:
    """Raises :class:`NotSupported` on a kernel without RPS."""
    sizes = netdev_sysfs.queue_numbers(port, "rx", _FILE)
    if not sizes:
        raise NotSupported(f"sysfs {_FILE} of {port.name} (no rx queue)")
    return SettingFacts({KEY: _value(sizes)})


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    """A number for all queues, also where a text came from a NIC whose queues differ now."""
    return {key: power_of_two(counted(facts, key, _number(key, value), 0)) for key, value in want.items()}


def write(port: Port, values: Values) -> None:
    """As far as both go: the first of several numbers for the first queue."""
    count = len(netdev_sysfs.queue_numbers(port, "rx", _FILE))
    sizes = [int(size) for size in str(values[KEY]).split()]
    netdev_sysfs.set_queue_numbers(port, "rx", _FILE, sizes * count if len(sizes) == 1 else sizes)


def _value(sizes: List[int]) -> Value:
    return sizes[0] if len(set(sizes)) == 1 else " ".join(map(str, sizes))


def _number(key: str, value: Value) -> Value:
    """``4096`` for '4096': a wanted value takes the type that the NIC's own has, and that can be a text."""
    if not isinstance(value, str):
        return value
    if not value.isdecimal() or len(value) > 10:
        raise OutOfRange(key, value, "one whole number from 0, for all queues")
    return int(value)
