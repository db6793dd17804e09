# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts as text for a terminal."""

from __future__ import annotations

from typing import Any, Dict

from wirespeed import show

NIC: Dict[str, Any] = {
    "name": "eth1",
    "driver": "igb",
    "bus_address": "0000:01:00.0",
    "kind": "pci",
    "firmware": "3.25",
    "xdp": None,
    "settings": {
        "features": {"values": {"rx-lro": False}, "maxima": {}},
        "rings": {"values": {"rx": 256, "tx-push": False}, "maxima": {"rx": 4096}},
        "rss": {"values": {"indirection": [0, 1, 0, 2]}, "maxima": {"indirection": 2}},
        "xps": {"values": {"cpus": "spread"}, "maxima": {"cpus": 3}},
    },
    "unsupported": {
        "fec": "ethtool FEC_GET eth1: the driver has no such operation (EOPNOTSUPP)",
        "eee": "ethtool EEE_GET eth1: the driver has no such operation (EOPNOTSUPP)",
        "irq_affinity": "sysfs msi_irqs of eth1 (no interrupt of a queue)",
    },
}
NODE = {"hostname": "n1", "kernel": {"release": "6.12"}, "cpus_online": 4, "ram_mib": 512, "libbpf": "1.1"}


def test_facts_of_a_nic_fit_a_screen() -> None:
    assert show.facts({**NODE, "nics": {"eth1": NIC}}).splitlines()[2:] == [
        "eth1: igb (0000:01:00.0), firmware 3.25",
        "  profile       -",
        "  xdp           none",
        "  rings         rx 256 of 4096, tx-push off",
        "  rss           indirection 2/1/1",
        "  xps           cpus spread",
        "  not here      fec, eee",
        "  irq_affinity  not here: sysfs msi_irqs of eth1 (no interrupt of a queue)",
    ]


def test_who_else_sets_a_value_is_told_with_the_nic() -> None:
    claim = {"manager": "tuned", "file": "/etc/tuned/fast/tuned.conf", "line": 12, "option": "[net] ring"}
    claim = {**claim, "setting": "rings", "key": "rx", "value": 1024, "active": True, "made_by": ""}
    moved = {**claim, "manager": "irqbalance", "setting": "irq_affinity", "key": "cpus", "value": None, "active": False}
    lines = show.facts({**NODE, "nics": {"eth1": {**NIC, "claims": [claim, moved]}}}).splitlines()
    assert lines[-2:] == [
        "  also set by   tuned: rings.rx 1024 (/etc/tuned/fast/tuned.conf:12, [net] ring)",
        (
            "  also set by   irqbalance: irq_affinity.cpus as it decides "
            "(/etc/tuned/fast/tuned.conf:12, [net] ring, not active)"
        ),
    ]
