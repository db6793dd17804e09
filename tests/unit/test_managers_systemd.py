# SPDX-License-Identifier: GPL-3.0-or-later
"""What .link and .network files set on a NIC, and the netplan line that they are made from."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import pytest

from wirespeed.managers.systemd import microseconds

from .manager_cases import claimed, places, told

LINK = """\
[Match]
OriginalName=enp1s0

[Link]
NamePolicy=keep
RxBufferSize=1024
TxBufferSize=max
CombinedChannels=64
RxCoalesceSec=50us
TxMaxCoalescedFrames=16
UseAdaptiveRxCoalesce=no
LargeReceiveOffload=yes
TransmitChecksumOffload=off
RxFlowControl=1
MTUBytes=9K
TransmitQueueLength=2000
ReceivePacketSteeringCPUMask=disable
IRQAffinityPolicy=spread
SR-IOVVirtualFunctions=4
WakeOnLan=off

[EnergyEfficientEthernet]
Enable=no
"""
PATH = "/etc/systemd/network/10-lan.link"
UDEV = {"ID_NET_LINK_FILE": PATH}


def test_every_option_of_a_link_file_becomes_our_setting(tmp_path: Path) -> None:
    assert told(claimed(tmp_path, {PATH: LINK}, UDEV)) == {
        "rings.rx": 1024,
        "rings.tx": 4096,
        "channels.combined": 8,
        "coalesce.rx-usecs": 50,
        "coalesce.tx-frames": 16,
        "coalesce.adaptive-rx": False,
        "features.rx-lro": True,
        "features.tx-checksum-ip-generic": False,
        "pause.rx": True,
        "mtu.mtu": 9216,
        "txqueuelen.txqueuelen": 2000,
        "rps.cpus": "none",
        "irq_affinity.cpus": None,
        "sriov.vfs": 4,
        "eee.enabled": False,
    }


def test_claim_names_file_line_and_option(tmp_path: Path) -> None:
    assert places(claimed(tmp_path, {PATH: LINK}, UDEV))["rings.rx"] == f"{PATH}:6, [Link] RxBufferSize"


def test_only_the_file_that_udev_applied_counts(tmp_path: Path) -> None:
    shipped = "/usr/lib/systemd/network/99-default.link"
    files = {PATH: LINK, shipped: "[Link]\nNamePolicy=keep kernel\n"}
    assert claimed(tmp_path, files, {"ID_NET_LINK_FILE": shipped}) == []


def test_without_udev_there_is_no_claim(tmp_path: Path) -> None:
    assert claimed(tmp_path, {PATH: LINK}) == []


def test_a_drop_in_lies_over_the_file(tmp_path: Path) -> None:
    drop_in = "/run/systemd/network/10-lan.link.d/50-rings.conf"
    found = claimed(tmp_path, {PATH: LINK, drop_in: "[Link]\nRxBufferSize=512\n"}, UDEV)
    assert told(found)["rings.rx"] == 512
    assert places(found)["rings.rx"] == f"{drop_in}:2, [Link] RxBufferSize"


def test_a_drop_in_in_etc_hides_its_namesake_in_run(tmp_path: Path) -> None:
    files = {
        PATH: LINK,
        "/run/systemd/network/10-lan.link.d/a.conf": "[Link]\nRxBufferSize=512\n",
        "/etc/systemd/network/10-lan.link.d/a.conf": "[Link]\nRxBufferSize=128\n",
    }
    assert told(claimed(tmp_path, files, UDEV))["rings.rx"] == 128


def test_an_empty_value_takes_the_one_before_back(tmp_path: Path) -> None:
    drop_in = {"/etc/systemd/network/10-lan.link.d/a.conf": "[Link]\nRxBufferSize=\n"}
    assert "rings.rx" not in told(claimed(tmp_path, {PATH: LINK, **drop_in}, UDEV))


def test_the_number_of_virtual_functions_is_no_section_of_one(tmp_path: Path) -> None:
    assert claimed(tmp_path, {PATH: "[SR-IOV]\nVirtualFunction=0\nMTUBytes=9000\n"}, UDEV) == []


def test_networkd_says_which_file_it_applied(tmp_path: Path) -> None:
    path = "/etc/systemd/network/20-lan.network"
    state = {"/run/systemd/netif/links/2": f"ADMIN_STATE=configured\nNETWORK_FILE={path}\n"}
    found = claimed(tmp_path, {path: "[Link]\nMTUBytes=1400\nARP=no\nRxBufferSize=1\n", **state})
    assert told(found) == {"mtu.mtu": 1400} and found[0].manager == "systemd-networkd"


def test_netplans_line_is_told_with_the_file_that_it_made(tmp_path: Path) -> None:
    made = "/run/systemd/network/10-netplan-lan.link"
    yaml = "network:\n  version: 2\n  ethernets:\n    lan:\n      match: {name: enp1s0}\n      mtu: 9000\n"
    files = {made: "[Link]\nMTUBytes=9000\n", "/etc/netplan/50-cloud-init.yaml": yaml}
    found = claimed(tmp_path, files, {"ID_NET_LINK_FILE": made})
    assert places(found)["mtu.mtu"] == f"{made}:2, [Link] MTUBytes, made from /etc/netplan/50-cloud-init.yaml:4"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50us", 50),
        ("1ms 500us", 1500),
        ("0.5ms", 500),
        ("2", 2_000_000),
        ("3 \u00b5s", 3),
        ("soon", None),
        ("5 us!", None),
    ],
)
def test_time_spans(text: str, expected: Optional[int]) -> None:
    assert microseconds(text) == expected
