# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's names of features, for the names that ``ethtool -k`` prints and ``ethtool -K`` takes.

The kernel's are those of ``netdev_features_strings`` (net/ethtool/common.c, Linux 6.12). A name of
ethtool's own may stand for several of them (``off_flag_def`` in ethtool's common.c).
"""

from __future__ import annotations

from typing import Mapping, Tuple

ALIASES: Mapping[str, Tuple[str, ...]] = {
    "generic-receive-offload": ("rx-gro",),
    "generic-segmentation-offload": ("tx-generic-segmentation",),
    "large-receive-offload": ("rx-lro",),
    "ntuple-filters": ("rx-ntuple-filter",),
    "receive-hashing": ("rx-hashing",),
    "rx-checksumming": ("rx-checksum",),
    "rx": ("rx-checksum",),
    "rx-vlan-offload": ("rx-vlan-hw-parse",),
    "tx-vlan-offload": ("tx-vlan-hw-insert",),
    "scatter-gather": ("tx-scatter-gather", "tx-scatter-gather-fraglist"),
    "tcp-segmentation-offload": (
        "tx-tcp-segmentation",
        "tx-tcp-ecn-segmentation",
        "tx-tcp-mangleid-segmentation",
        "tx-tcp6-segmentation",
    ),
    "tx-checksumming": (
        "tx-checksum-ipv4",
        "tx-checksum-ip-generic",
        "tx-checksum-ipv6",
        "tx-checksum-fcoe-crc",
        "tx-checksum-sctp",
    ),
    "gro": ("rx-gro",),
    "gso": ("tx-generic-segmentation",),
    "lro": ("rx-lro",),
    "ntuple": ("rx-ntuple-filter",),
    "rxhash": ("rx-hashing",),
    "rxvlan": ("rx-vlan-hw-parse",),
    "sg": ("tx-scatter-gather", "tx-scatter-gather-fraglist"),
    "tso": (
        "tx-tcp-segmentation",
        "tx-tcp-ecn-segmentation",
        "tx-tcp-mangleid-segmentation",
        "tx-tcp6-segmentation",
    ),
    "tx": (
        "tx-checksum-ipv4",
        "tx-checksum-ip-generic",
        "tx-checksum-ipv6",
        "tx-checksum-fcoe-crc",
        "tx-checksum-sctp",
    ),
    "txvlan": ("tx-vlan-hw-insert",),
}
