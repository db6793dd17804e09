# SPDX-License-Identifier: GPL-3.0-or-later
"""What drivers call the few counters that are evidence but no frames of ours; a NIC's frames are in its profile.

Pause frames stand here only for drivers that do not answer ETHTOOL_FLAG_STATS on every kernel that we know.
"""

from __future__ import annotations

from typing import Mapping, Tuple

PAUSE: Mapping[str, Tuple[str, str]] = {
    "bnxt_en": ("tx_pause_frames", "rx_pause_frames"),
    "e1000e": ("tx_flow_control_xoff", "rx_flow_control_xoff"),
    "i40e": ("port.link_xoff_tx", "port.link_xoff_rx"),
    "ice": ("link_xoff_tx.nic", "link_xoff_rx.nic"),
    "igb": ("tx_flow_control_xoff", "rx_flow_control_xoff"),
    "igc": ("tx_flow_control_xoff", "rx_flow_control_xoff"),
    "ixgbe": ("tx_flow_control_xoff", "rx_flow_control_xoff"),
    "qede": ("tx_pause_frames", "rx_pause_frames"),
    "sfc": ("port_tx_pause", "port_rx_pause"),
    "tg3": ("tx_xoff_sent", "rx_xoff_pause_rcvd"),
}
"""Driver -> pause frames sent, received."""

PCIE_STALLS: Mapping[str, str] = {"mlx5_core": "outbound_pci_stalled_wr_events"}
"""Driver -> seconds in which writes to memory waited for the bus for 30 % or more (mlx5, en_stats.c)."""
