# SPDX-License-Identifier: GPL-3.0-or-later
"""NAPI: how the kernel polls the NIC's queues.

``defer-hard-irqs``   empty polls before the queue's interrupt is enabled again
``gro-flush-timeout`` nanoseconds until the next poll of a queue whose interrupt is deferred
``threaded``          polls run in a kernel thread for each queue, not in softirqs

Through sysfs, which has them in Linux 6.1 to 7.2 alike (netdev netlink: after 6.12).
"""

from __future__ import annotations

from typing import Dict, Mapping

from ..errors import NotSupported
from ..kernel import netdev_sysfs
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values
from .room import counted_or_switched

_FILES = {
    "defer-hard-irqs": "napi_defer_hard_irqs",
    "gro-flush-timeout": "gro_flush_timeout",
    "threaded": "threaded",
}
_SWITCHES = frozenset({"threaded"})


def read(port: Port) -> SettingFacts:
    netdev_sysfs.folder(port)
    values: Dict[str, Value] = {}
    for key, file in _FILES.items():
        try:
            number = netdev_sysfs.number(port, file)
        except NotSupported:
            continue
        values[key] = bool(number) if key in _SWITCHES else number
    if not values:
        raise NotSupported(f"sysfs NAPI parameters of {port.name}")
    return SettingFacts(values)


def settle(facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]:
    return {key: counted_or_switched(facts, key, value) for key, value in want.items()}


def write(port: Port, values: Values) -> None:
    """``threaded`` is refused (EOPNOTSUPP) while the driver has no NAPI instance: interface down, veth without XDP."""
    for key, value in values.items():
        netdev_sysfs.set_number(port, _FILES[key], int(value) if isinstance(value, bool) else int(str(value)))
