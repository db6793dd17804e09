# SPDX-License-Identifier: GPL-3.0-or-later
"""One reading of a NIC's raw counters: one GSTATS call, one queue-stats dump, one link-stats message.

The three calls are three instants; the whole reading carries when it began and ended, and the
sandwich in :mod:`.sandwich` turns that into bounds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Dict, Mapping, Tuple

from ..errors import NotSupported
from ..kernel import ethtool_ioctl, netdev_netlink, rtnetlink
from .table import Source


@dataclass(frozen=True)
class RawStats:
    """``ethtool`` keeps order, blanks and repeated names (vmxnet3 tells its queues by position).

    ``queues`` is ``(direction, queue) -> name -> value``. ``unread`` says per source why it is empty.
    ``began``, ``ended`` are monotonic nanoseconds.
    """

    ethtool: Tuple[Tuple[str, int], ...] = ()
    queues: Mapping[Tuple[str, int], Mapping[str, int]] = field(default_factory=dict)
    link: Mapping[str, int] = field(default_factory=dict)
    unread: Mapping[Source, str] = field(default_factory=dict)
    began: int = 0
    ended: int = 0


def read(name: str, ifindex: int) -> RawStats:
    """Raises KernelRefusal when the NIC itself is gone; a source the driver lacks is only noted."""
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
    link = rtnetlink.link_stats(ifindex)
    return RawStats(ethtool, queues, link, unread, began, time.monotonic_ns())
