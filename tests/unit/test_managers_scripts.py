# SPDX-License-Identifier: GPL-3.0-or-later
"""What commands, ifupdown, ifcfg files and udev rules set on a NIC."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest

from wirespeed.managers.commands import ordered

from .manager_cases import claimed, places, told

INTERFACES = """\
source /etc/network/interfaces.d/*
auto lo enp1s0
iface lo inet loopback

# the edge
iface enp1s0 inet static
    address 192.0.2.1/24
    mtu 9000
    hardware-dma-ring-rx 1024
    hardware-irq-coalesce-rx-usecs 50
    ethernet-pause-autoneg off
    offload-gro off
    offload-tx_nocache_copy on
    up /sbin/ethtool -L $IFACE combined 2 || true; \\
       ip link set dev enp1s0 txqueuelen 2000
    post-up ethtool -G enp9s0 rx 64
iface enp9s0 inet dhcp
    mtu 1400
"""
MAIN = "/etc/network/interfaces"


def values(text: str) -> Dict[str, Any]:
    return {f"{each.device} {each.setting}.{each.key}": each.value for each in ordered(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/usr/sbin/ethtool -G eth0 rx 4096 tx 512", {"eth0 rings.rx": 4096, "eth0 rings.tx": 512}),
        (
            "ethtool -C eth0 adaptive-rx off rx-usecs 50",
            {"eth0 coalesce.adaptive-rx": False, "eth0 coalesce.rx-usecs": 50},
        ),
        ("ethtool -K %k lro off && ethtool -A %k rx on", {"%k features.lro": False, "%k pause.rx": True}),
        ("sh -c 'sleep 1; ethtool -L eth0 combined 8'", {"eth0 channels.combined": 8}),
        ("ethtool --set-priv-flags eth0 rx_striding_rq off", {"eth0 private_flags.rx_striding_rq": False}),
        ("ethtool --set-eee eth0 eee off tx-timer 10", {"eth0 eee.enabled": False, "eth0 eee.tx-timer": 10}),
        ("ethtool --set-fec eth0 encoding baser rs", {"eth0 fec.encoding": "rs baser"}),
        ("ethtool -X eth0 equal 4 hfunc xor", {"eth0 rss.indirection": None, "eth0 rss.function": None}),
        ("ethtool -N eth0 rx-flow-hash udp4 sdfn", {"eth0 rss_fields.udp4": "sdfn"}),
        ("ethtool -U eth0 flow-type udp4 dst-port 53 action 1", {"eth0 ntuple.rules": None}),
        ("ip link set eth0 up mtu 9000", {"eth0 mtu.mtu": 9000}),
        ("ifconfig eth0 txqueuelen 500", {"eth0 txqueuelen.txqueuelen": 500}),
        ("ethtool -G eth0 rx $SIZE", {"eth0 rings.rx": None}),
        ("ethtool -i eth0; ethtool eth0; ip link show eth0", {}),
        ("echo 'never closed", {}),
    ],
)
def test_commands(text: str, expected: Dict[str, Any]) -> None:
    assert values(text) == expected


def test_every_option_of_ifupdown_becomes_our_setting(tmp_path: Path) -> None:
    found = claimed(tmp_path, {MAIN: INTERFACES, "/run/network/ifstate": "lo=lo\nenp1s0=enp1s0\n"})
    assert told(found) == {
        "mtu.mtu": 9000,
        "rings.rx": 1024,
        "coalesce.rx-usecs": 50,
        "pause.autoneg": False,
        "features.rx-gro": False,
        "features.tx-nocache-copy": True,
        "channels.combined": 2,
        "txqueuelen.txqueuelen": 2000,
    }
    assert all(claim.active for claim in found)
    assert places(found)["rings.rx"] == f"{MAIN}:9, iface enp1s0: hardware-dma-ring-rx"
    assert places(found)["txqueuelen.txqueuelen"] == f"{MAIN}:14, iface enp1s0: up"


def test_an_interface_that_ifupdown_has_not_brought_up_is_not_active(tmp_path: Path) -> None:
    assert not any(claim.active for claim in claimed(tmp_path, {MAIN: INTERFACES, "/run/network/ifstate": "lo=lo"}))


@pytest.mark.parametrize("line", ["source /etc/network/more/*.cfg", "source more/lan.cfg", "source-directory more"])
def test_sourced_files_of_ifupdown(tmp_path: Path, line: str) -> None:
    more = {"/etc/network/more/lan.cfg": "iface enp1s0 inet6 manual\n mtu 1400\n"}
    assert told(claimed(tmp_path, {MAIN: f"{line}\n", **more})) == {"mtu.mtu": 1400}


def test_a_file_that_sources_itself_is_read_once(tmp_path: Path) -> None:
    text = f"source {MAIN}\niface enp1s0 inet manual\n mtu 1400\n"
    assert len(claimed(tmp_path, {MAIN: text})) == 1


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/etc/sysconfig/network-scripts/ifcfg-enp1s0", 'ETHTOOL_OPTS="-G ${DEVICE} rx 1024; -K enp1s0 gro off"'),
        ("/etc/sysconfig/network/ifcfg-enp1s0", "ETHTOOL_OPTIONS='-G iface rx 1024;-K iface gro off'"),
    ],
)
def test_ifcfg(tmp_path: Path, path: str, line: str) -> None:
    found = claimed(tmp_path, {path: f"DEVICE=enp1s0\nMTU=9000\n{line}\n"})
    assert told(found) == {"mtu.mtu": 9000, "rings.rx": 1024, "features.rx-gro": False}
    assert places(found)["mtu.mtu"] == f"{path}:2, MTU"


RULES = "/etc/udev/rules.d/60-rings.rules"


@pytest.mark.parametrize(
    "conditions",
    [
        'SUBSYSTEM=="net", ACTION=="add|change", KERNEL=="enp*"',
        'SUBSYSTEM=="net", DRIVERS=="igb", ENV{UNKNOWN}=="1"',
        'SUBSYSTEM=="net", ATTR{address}=="52:54:00:00:01:01"',
    ],
)
def test_udev_rule_for_this_nic(tmp_path: Path, conditions: str) -> None:
    rule = f'# rings\n{conditions}, \\\n  RUN+="/usr/sbin/ethtool -G $name rx 1024", ATTR{{mtu}}="9000"\n'
    found = claimed(tmp_path, {RULES: rule})
    assert told(found) == {"rings.rx": 1024, "mtu.mtu": 9000}
    assert places(found)["rings.rx"] == f"{RULES}:2, RUN"


@pytest.mark.parametrize(
    "conditions",
    [
        'SUBSYSTEM=="net", KERNEL=="eth*"',
        'SUBSYSTEM=="net", KERNEL!="enp*"',
        'SUBSYSTEM=="net", ACTION=="remove"',
        'SUBSYSTEM=="net", DRIVERS=="ice"',
        'SUBSYSTEM=="block"',
    ],
)
def test_udev_rule_for_others(tmp_path: Path, conditions: str) -> None:
    assert claimed(tmp_path, {RULES: f'{conditions}, RUN+="/usr/sbin/ethtool -G %k rx 1024", ATTR{{mtu}}="1"\n'}) == []


def test_a_udev_rule_that_names_another_interface(tmp_path: Path) -> None:
    assert claimed(tmp_path, {RULES: 'SUBSYSTEM=="net", RUN+="/usr/sbin/ethtool -G eth7 rx 1024"\n'}) == []
