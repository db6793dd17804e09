# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames on the wire: what is sent into a NIC is what its driver counts, and what it transmits is what comes out."""

from __future__ import annotations

import contextlib
from typing import Callable

import pytest

from . import LabError, Node, frames
from .qemu import Nic

NICS = ("igb", "virtio:queues=4:rss=on", "vmxnet3", "e1000e")
COUNT = 1000
WINDOW = 100  # frames under way at once: fewer than the 256 buffers of igb's ring, however late the guest is
VLAN = 5
Factory = Callable[..., Node]

_TRANSMIT = """
import socket, sys
frames = [bytes.fromhex(line) for line in sys.stdin.read().split()]
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((sys.argv[1], 0))
for frame in frames:
    out.send(frame)
"""


@pytest.fixture(scope="module")
def machine(module_node: Factory) -> Node:
    found = module_node("6.12", *NICS)
    found.ssh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1; for i in 1 2 3 4; do ip link set enp${i}s0 up; done")
    # igb and vmxnet3 drop frames of VLANs that nobody asked for, as the hardware does
    found.ssh(f"for i in 1 2 3 4; do ip link add link enp${{i}}s0 name vlan$i type vlan id {VLAN}; done")
    found.until("[ $(cat /sys/class/net/enp*/carrier | grep -c 1) = 4 ]")
    found.ssh("cat > /root/transmit.py", feed=_TRANSMIT)
    return found


def received(machine: Node, nic: Nic, before: int, expected: int) -> int:
    """How many frames more than `before` the driver has counted, once they are `expected` (or none came for long)."""
    counter = f"/sys/class/net/{nic.interface}/statistics/rx_packets"
    with contextlib.suppress(LabError):
        machine.until(f"[ $(cat {counter}) -ge {before + expected} ]")
    return count(machine, nic) - before


def counted(machine: Node, index: int, frames_sent: int, **addresses: object) -> int:
    """Frames that the driver has counted of those sent, a window of them at a time."""
    nic = machine.nics[index]
    taken = 0
    with machine.wire(index) as wire:
        for first in range(0, frames_sent, WINDOW):
            before = count(machine, nic)
            sent = wire.stream(min(WINDOW, frames_sent - first), first=first, **addresses)  # type: ignore[arg-type]
            taken += received(machine, nic, before, sent)
    return taken


def count(machine: Node, nic: Nic) -> int:
    return int(machine.out(f"cat /sys/class/net/{nic.interface}/statistics/rx_packets"))


@pytest.mark.parametrize("index", range(len(NICS)), ids=[nic.split(":")[0] for nic in NICS])
def test_every_frame_sent_is_counted_by_the_driver(machine: Node, index: int) -> None:
    assert counted(machine, index, COUNT, source="198.51.100.7") == COUNT
    assert counted(machine, index, WINDOW, source="2001:db8::7", destination="2001:db8::100") == WINDOW
    assert counted(machine, index, WINDOW, vlans=[VLAN]) == WINDOW


@pytest.mark.parametrize("index", range(len(NICS)), ids=[nic.split(":")[0] for nic in NICS])
def test_every_frame_that_a_nic_transmits_comes_out_with_its_number(machine: Node, index: int) -> None:
    nic = machine.nics[index]
    made = [frames.udp("02:00:00:00:00:01", number, from_mac=nic.mac) for number in range(COUNT)]
    with machine.wire(index) as wire, wire.capture() as captured:
        machine.ssh(f"python3 /root/transmit.py {nic.interface}", feed="\n".join(frame.hex() for frame in made))
        assert sorted(captured.wait(COUNT)) == list(range(COUNT))


def test_a_capture_that_waits_for_too_much_says_what_came(machine: Node) -> None:
    with machine.wire(0) as wire, wire.capture() as captured, pytest.raises(LabError, match="0 of 1 frames"):
        captured.wait(1, timeout=0.2)


def test_source_addresses_and_tags_reach_the_guest_unchanged(machine: Node) -> None:
    """The guest's own parser (tc's flower, in hardware-independent software) counts what it was told to match."""
    nic = machine.nics[0]
    dev = nic.interface
    machine.ssh(
        f"tc qdisc add dev {dev} clsact && "
        f"tc filter add dev {dev} ingress prio 1 protocol ip flower src_ip 198.51.100.0/24 action ok && "
        f"tc filter add dev {dev} ingress prio 2 protocol ipv6 flower src_ip 2001:db8:5::/48 action ok && "
        f"tc filter add dev {dev} ingress prio 3 protocol 802.1Q flower vlan_id {VLAN} action ok"
    )
    before = count(machine, nic)
    with machine.wire(0) as wire:
        sent = wire.stream(30, source="198.51.100.9") + wire.stream(9, source="203.0.113.9")
        sent += wire.stream(20, source="2001:db8:5::9", destination="2001:db8::1") + wire.stream(10, vlans=[VLAN])
    assert received(machine, nic, before, sent) == sent
    shown = machine.out(f"tc -s filter show dev {dev} ingress | grep -o 'Sent [0-9]* bytes [0-9]* pkt'")
    assert [int(line.split()[3]) for line in shown.splitlines()] == [30, 20, 10]
