# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw counters, compared with the ethtool and ip commands."""

from __future__ import annotations

import json
import socket
from typing import Dict

import pytest

from tests.probes import requires_ethtool
from wirespeed.errors import NotSupported
from wirespeed.kernel import ethtool_ioctl, netdev_netlink, rtnetlink

from .netns import Veth


def link_stats(name: str) -> Dict[str, int]:
    return rtnetlink.link_stats(rtnetlink.link_named(name).ifindex)


def send(name: str, count: int) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((name, 0))
        for _ in range(count):
            wire.send(b"\xff" * 6 + b"\x02" * 6 + b"\x88\xb5" + bytes(46))


def queue_stats(name: str) -> object:
    return netdev_netlink.queue_stats(rtnetlink.link_named(name).ifindex)


def some_frames_then_quiet(veth: Veth) -> None:
    """Three frames to the NIC, then no more, not even the kernel's own (neighbour discovery)."""
    veth.wire.run(send, veth.wire_ifname, 3)
    for side, name in ((veth.node, veth.ifname), (veth.wire, veth.wire_ifname)):
        side.ip("link", "set", name, "addrgenmode", "none")
        side.ip("link", "set", name, "down")


@requires_ethtool
def test_driver_statistics_keep_the_order_of_ethtool(veth: Veth) -> None:
    some_frames_then_quiet(veth)
    shown = veth.node.command("ethtool", "-S", veth.ifname).splitlines()[1:]
    found = veth.node.run(ethtool_ioctl.statistics, veth.ifname)
    assert [f"     {name}: {value}" for name, value in found] == shown
    assert len(found) > 20


def test_link_statistics_are_those_of_ip(veth: Veth) -> None:
    some_frames_then_quiet(veth)
    shown = json.loads(veth.node.ip("-s", "-j", "link", "show", veth.ifname))[0]["stats64"]
    found = veth.node.run(link_stats, veth.ifname)
    assert found["rx_packets"] == shown["rx"]["packets"] >= 3
    assert found["rx_bytes"] == shown["rx"]["bytes"]
    assert (found["tx_packets"], found["tx_dropped"]) == (shown["tx"]["packets"], shown["tx"]["dropped"])


def test_queue_statistics_that_the_driver_does_not_keep_are_not_supported(veth: Veth) -> None:
    with pytest.raises(NotSupported):
        veth.node.run(queue_stats, veth.ifname)


def test_statistics_that_a_driver_does_not_have_are_not_supported(veth: Veth) -> None:
    with pytest.raises(NotSupported):
        veth.node.run(ethtool_ioctl.statistics, "lo")
