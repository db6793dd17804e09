# SPDX-License-Identifier: GPL-3.0-or-later
"""How many pause frames a port sent and took: ETHTOOL_A_PAUSE_STATS (uapi/linux/ethtool_netlink.h, Linux 5.10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ..errors import NotSupported
from .ethtool_netlink import call, message
from .netlink import Attribute, Nest
from .port import Port

_PAUSE_GET, _WITH_STATISTICS = 21, 1 << 2  # ETHTOOL_MSG_PAUSE_GET, ETHTOOL_FLAG_STATS
_LAYOUT = message(
    Attribute(5, "stats", Nest((Attribute(2, "tx_frames", "uint64"), Attribute(3, "rx_frames", "uint64"))))
)


@dataclass(frozen=True)
class PauseFrames:
    """IEEE 802.3 Annex 31B. ``sent``: this side asked the peer to wait. ``received``: the peer asked."""

    sent: int
    received: int

    def __sub__(self, earlier: PauseFrames) -> PauseFrames:
        return PauseFrames(self.sent - earlier.sent, self.received - earlier.received)


def pause_frames(port: Port) -> PauseFrames:
    """Since the driver began. Raises :class:`NotSupported` for a driver that does not tell them this way."""
    told: Mapping[str, Any] = call("PAUSE_GET", _PAUSE_GET, _LAYOUT, port, flags=_WITH_STATISTICS).get("stats") or {}
    if "tx_frames" not in told and "rx_frames" not in told:
        raise NotSupported(f"ethtool PAUSE_GET {port.name} (no statistics)")
    return PauseFrames(int(told.get("tx_frames", 0)), int(told.get("rx_frames", 0)))
