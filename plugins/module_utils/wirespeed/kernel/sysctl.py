# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers below /proc/sys/net/core that belong to the whole machine.

Linux registers them for the first network namespace alone (net/core/sysctl_net_core.c
sysctl_core_init, 6.1 to 7.2): a process in any other one does not find them.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import KernelRefusal, NotSupported
from . import netdev_sysfs
from .netlink import refusal

_NET_CORE = Path("/proc/sys/net/core")


def net_core(name: str) -> int:
    """Raises :class:`NotSupported` in another than the first network namespace, and for what the kernel lacks."""
    try:
        return int(netdev_sysfs.read(_NET_CORE / name))
    except NotSupported:
        raise NotSupported(f"sysctl net.core.{name} (not in this network namespace or kernel)") from None


def set_net_core(name: str, value: int) -> None:
    """Raises :class:`KernelRefusal`: EINVAL out of range, ENOMEM for a table that does not fit."""
    try:
        netdev_sysfs.write(_NET_CORE / name, str(value))
    except KernelRefusal as error:
        raise refusal(f"sysctl net.core.{name}={value}", error.code) from None
