# SPDX-License-Identifier: GPL-3.0-or-later
"""One reading of a NIC's raw counters: one GSTATS call, one queue-stats dump, one of the standard groups, one of the
link's statistics.

The calls are as many instants; the reading carries when it began and ended, and the
sandwich in :mod:`.sandwich` turns that into bounds.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Dict, Mapping, Tuple

from ..errors import NotSupported
from ..kernel import ethtool_groups, ethtool_ioctl, netdev_netlink, rtnetlink
from ..kernel.port import Port
from .rawstats import RawStats
from .table import Source


def read(name: str, ifindex: int) -> RawStats:
    """Raises KernelRefusal when the NIC itself is gone; a source that the driver lacks is only noted."""
    unread: Dict[Source, str] = {}
    began = time.monotonic_ns()
    ethtool: Tuple[Tuple[str, int], ...] = ()
    queues: Mapping[Tuple[str, int], Mapping[str, int]] = {}
    try:
        ethtool = tuple(ethtool_ioctl.statistics(name))
    except NotSupported as lacking:
        unread[Source.ETHTOOL_S] = str(lacking)
    try:
        queues = netdev_netlink.queue_stats(ifindex)
    except NotSupported as lacking:
        unread[Source.QSTATS] = str(lacking)
    groups: Mapping[str, int] = {}
    try:
        groups = ethtool_groups.standard(Port(name, ifindex))
    except NotSupported as lacking:
        unread[Source.GROUPS] = str(lacking)
    link = rtnetlink.link_stats(ifindex)
    return RawStats(ethtool, queues, link, unread, began, time.monotonic_ns(), groups)


def virtual_functions(name: str) -> int:
    """How many SR-IOV functions share this NIC's port; 0 where the device can have none."""
    try:
        return int(Path("/sys/class/net", name, "device/sriov_numvfs").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
