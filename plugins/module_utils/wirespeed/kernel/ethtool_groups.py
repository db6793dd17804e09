# SPDX-License-Identifier: GPL-3.0-or-later
"""The standard statistics of ethtool netlink: counters with IEEE's and the IETF's names and meaning, not a driver's.

Kept by the device, perhaps for a whole port (Documentation/networking/statistics.rst). Numbers from
include/uapi/linux/ethtool_netlink.h, Linux 5.13 to 7.2; names as the command ``ethtool -S DEV --groups`` has them,
after net/ethtool/stats.c.
"""

from __future__ import annotations

import struct
import sys
from typing import Any, Dict, Iterator, Mapping, Tuple

from ..errors import NotSupported
from .ethtool_netlink import BITSET, call, message
from .netlink import Attribute
from .port import Port

_STATS_GET = 32
_ID, _STAT = 2, 4  # ETHTOOL_A_STATS_GRP_*
_TYPE = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_HEAD = struct.Struct("=HH")
# ETHTOOL_A_STATS_*, where number 1 is padding.
_LAYOUT = message(Attribute(3, "groups", BITSET), Attribute(4, "group", "cdata", repeated=True), header=2)

_MAC = (
    "FramesTransmittedOK", "SingleCollisionFrames", "MultipleCollisionFrames", "FramesReceivedOK",
    "FrameCheckSequenceErrors", "AlignmentErrors", "OctetsTransmittedOK", "FramesWithDeferredXmissions",
    "LateCollisions", "FramesAbortedDueToXSColls", "FramesLostDueToIntMACXmitError", "CarrierSenseErrors",
    "OctetsReceivedOK", "FramesLostDueToIntMACRcvError", "MulticastFramesXmittedOK", "BroadcastFramesXmittedOK",
    "FramesWithExcessiveDeferral", "MulticastFramesReceivedOK", "BroadcastFramesReceivedOK", "InRangeLengthErrors",
    "OutOfRangeLengthField", "FrameTooLongErrors",
)  # fmt: skip
GROUPS: Mapping[int, Tuple[str, Tuple[str, ...]]] = {
    0: ("eth-phy", ("SymbolErrorDuringCarrier",)),
    1: ("eth-mac", _MAC),
    2: ("eth-ctrl", ("MACControlFramesTransmitted", "MACControlFramesReceived", "UnsupportedOpcodesReceived")),
    3: ("rmon", ("etherStatsUndersizePkts", "etherStatsOversizePkts", "etherStatsFragments", "etherStatsJabbers")),
}


def standard(port: Port) -> Dict[str, int]:
    """``eth-mac-FramesReceivedOK`` and the like. Raises :class:`NotSupported` for a driver that has none of them."""
    asked = {"groups": {"no_mask": True, "bits": {"bit": [{"index": number} for number in GROUPS]}}}
    told: Mapping[str, Any] = call("STATS_GET", _STATS_GET, _LAYOUT, port, asked)
    found = {name: value for group in told.get("group", ()) for name, value in decoded(bytes(group))}
    if not found:
        raise NotSupported(f"ethtool STATS_GET {port.name} (no standard statistics)")
    return found


def decoded(group: bytes) -> Iterator[Tuple[str, int]]:
    """One ETHTOOL_A_STATS_GRP; counters that are newer than this list are passed over, and so are histograms."""
    parts = list(_attributes(group))
    number = next((int.from_bytes(value[:4], sys.byteorder) for kind, value in parts if kind == _ID), -1)
    if number not in GROUPS:
        return
    name, counters = GROUPS[number]
    for kind, value in parts:
        for counter, raw in _attributes(value) if kind == _STAT else ():
            if counter < len(counters):
                yield f"{name}-{counters[counter]}", int.from_bytes(raw[:8], sys.byteorder)


def _attributes(data: bytes) -> Iterator[Tuple[int, bytes]]:
    at = 0
    while at + _HEAD.size <= len(data):
        length, kind = _HEAD.unpack_from(data, at)
        if length < _HEAD.size:
            return
        yield kind & _TYPE, data[at + _HEAD.size : at + length]
        at += (length + 3) & ~3
