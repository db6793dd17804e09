# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``netdev`` generic netlink family: XDP features (Linux 6.3) and per-queue statistics (6.9).

Numbers from include/uapi/linux/netdev.h, names from Documentation/netlink/specs/netdev.yaml.
"""

from __future__ import annotations

import errno
import sys
from typing import Dict, FrozenSet, Tuple

from ..errors import KernelRefusal, NotSupported
from . import netlink
from .netlink import Attribute, Message

_DEV_GET, _QSTATS_GET = 1, 12
_SCOPE_QUEUE = 1
_QUEUE_TYPES = {0: "rx", 1: "tx"}

_XDP_FEATURES = ("basic", "redirect", "ndo-xmit", "xsk-zerocopy", "hw-offload", "rx-sg", "ndo-xmit-sg")

_COUNTERS = {
    8: "rx-packets",
    9: "rx-bytes",
    10: "tx-packets",
    11: "tx-bytes",
    12: "rx-alloc-fail",
    13: "rx-hw-drops",
    14: "rx-hw-drop-overruns",
    15: "rx-csum-complete",
    16: "rx-csum-unnecessary",
    17: "rx-csum-none",
    18: "rx-csum-bad",
    19: "rx-hw-gro-packets",
    20: "rx-hw-gro-bytes",
    21: "rx-hw-gro-wire-packets",
    22: "rx-hw-gro-wire-bytes",
    23: "rx-hw-drop-ratelimits",
    24: "tx-hw-drops",
    25: "tx-hw-drop-errors",
    26: "tx-csum-none",
    27: "tx-needs-csum",
    28: "tx-hw-gso-packets",
    29: "tx-hw-gso-bytes",
    30: "tx-hw-gso-wire-packets",
    31: "tx-hw-gso-wire-bytes",
    32: "tx-hw-drop-ratelimits",
    33: "tx-stop",
    34: "tx-wake",
}

_DEV = Message(netlink.GENERIC_HEAD, (Attribute(1, "ifindex", "uint32"), Attribute(3, "xdp-features", "uint64")))
_QSTATS = Message(
    netlink.GENERIC_HEAD,
    (
        Attribute(1, "ifindex", "uint32"),
        Attribute(2, "queue-type", "uint32"),
        Attribute(3, "queue-id", "uint32"),
        Attribute(4, "scope", "cdata"),
        *(Attribute(number, key, "cdata") for number, key in _COUNTERS.items()),
    ),
)


def xdp_features(ifindex: int) -> FrozenSet[str]:
    """What the driver's XDP can do right now. Raises :class:`NotSupported` before Linux 6.3."""
    head = {"cmd": _DEV_GET, "version": 1}
    family = netlink.family("netdev")
    (reply,) = netlink.request(netlink.GENERIC, family, _DEV, head, {"ifindex": ifindex}, f"netdev dev-get {ifindex}")
    bits = reply.values.get("xdp-features", 0)
    return frozenset(name for bit, name in enumerate(_XDP_FEATURES) if bits >> bit & 1)


def queue_stats(ifindex: int) -> Dict[Tuple[str, int], Dict[str, int]]:
    """``("rx", 0) -> {"rx-packets": n}``; queues that do not run are absent.

    Raises :class:`NotSupported` before Linux 6.9 and for drivers that keep no such statistics.
    """
    call = f"netdev qstats-get {ifindex}"
    head = {"cmd": _QSTATS_GET, "version": 1}
    wanted = {"ifindex": ifindex, "scope": _SCOPE_QUEUE.to_bytes(4, sys.byteorder)}
    try:
        replies = netlink.request(netlink.GENERIC, netlink.family("netdev"), _QSTATS, head, wanted, call, dump=True)
    except KernelRefusal as error:
        if error.code == errno.EINVAL:  # an op that the family does not have yet
            raise NotSupported(f"{call}, which this kernel lacks") from None
        raise
    stats: Dict[Tuple[str, int], Dict[str, int]] = {}
    for reply in replies:
        values = reply.values
        if values.get("ifindex") != ifindex or "queue-id" not in values:
            continue
        queue = (_QUEUE_TYPES[values["queue-type"]], values["queue-id"])
        stats[queue] = {key: int.from_bytes(values[key], sys.byteorder) for key in _COUNTERS.values() if key in values}
    return stats
