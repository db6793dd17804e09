# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet itself: nodes come up, keep their disk, wake from a saved state, and leave nothing behind."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Callable

import pytest

from tests.depth import deep

from . import KERNELS, Image, LabError, Node, netns, spec, start, write_inventory

Factory = Callable[..., Node]
# One kind of node for all tests of the fleet, so that each kernel boots once and is restored from then on.
NICS = ("igb", "virtio:queues=4:rss=on", "vmxnet3", "e1000e")


@deep
def test_a_disk_survives_reboots_into_every_kernel(node: Factory) -> None:
    machine = node("6.1", *NICS, cold=True)
    machine.ssh("echo kept > /var/lib/witness; echo kept > /etc/witness")
    for label in KERNELS[1:]:
        machine.reboot(label)
        assert machine.out("uname -r") == machine.image.kernel(label).release
        assert machine.out("cat /var/lib/witness /etc/witness").split() == ["kept", "kept"]


@pytest.mark.parametrize("label", KERNELS)
def test_a_restored_node_runs_the_kernel_under_its_name_and_at_the_right_time(node: Factory, label: str) -> None:
    machine = node(label, *NICS)
    assert machine.out("uname -r") == machine.image.kernel(label).release
    assert machine.out("hostname") == machine.name
    assert abs(int(machine.out("date +%s")) - time.time()) < 60  # a saved state is hours or days old
    links = machine.out("for i in /sys/class/net/enp*; do basename $(readlink $i/device/driver); done").split()
    assert links == ["igb", "virtio_net", "vmxnet3", "e1000e"]


def test_two_nodes_of_one_kind_do_not_share_a_disk(node: Factory) -> None:
    first, second = node("6.12", *NICS), node("6.12", *NICS)
    first.ssh("echo first > /etc/witness; sync")
    assert second.ssh("test -e /etc/witness", check=False).returncode == 1


@deep
def test_what_was_synced_survives_a_pulled_plug(node: Factory) -> None:
    machine = node("6.12", *NICS)
    machine.ssh("echo kept > /var/lib/witness; sync /var/lib/witness; sync -f /var/lib")
    machine.kill()
    machine.boot("6.12", machine.nic_specs)
    assert machine.out("cat /var/lib/witness") == "kept"


def test_a_removed_node_leaves_no_process_namespace_socket_or_disk(lab_image: Image) -> None:
    machine = start(lab_image, "leaves-nothing", "6.12", NICS)
    pid, sockets, directory = machine.pid, machine.sockets, machine.directory
    machine.ssh("true")
    assert netns.exists(machine.namespace) and sockets.exists()
    machine.remove()
    assert not Path(f"/proc/{pid}").exists()
    assert not netns.exists(machine.namespace)
    assert not sockets.exists() and not directory.exists()


def test_a_pulled_cable_is_seen_by_the_guest(node: Factory) -> None:
    machine = node("6.12", *NICS)
    machine.ssh("ip link set enp1s0 up")
    machine.until("grep -q 1 /sys/class/net/enp1s0/carrier")
    machine.carrier(False)
    machine.until("grep -q 0 /sys/class/net/enp1s0/carrier")


def test_an_inventory_names_port_key_and_nics(node: Factory, tmp_path: Path) -> None:
    machine = node("6.12", *NICS)
    text = write_inventory(tmp_path / "fleet.yml", [machine]).read_text(encoding="utf-8")
    for part in (machine.name, str(machine.port), str(machine.image.ssh_key), machine.nics[0].mac):
        assert part in text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a=6.1", "NAME=KERNEL"),
        ("A=6.1:igb", "no name for a node"),
        ("a=6.1:ixgbe", "no NIC model"),
        ("a=6.1:igb:queues=2", "for virtio only"),
        ("a=6.1:virtio:queues=x", "not a number"),
        ("a=6.1:virtio:rss", "not OPTION=VALUE"),
    ],
)
def test_a_wrong_node_is_refused_by_name(text: str, part: str) -> None:
    with pytest.raises(LabError, match=part):
        spec.parse_node(text)


def test_an_unknown_kernel_is_refused_and_leaves_nothing(lab_image: Image) -> None:
    with pytest.raises(LabError, match=r"No kernel `5\.10`"):
        start(lab_image, "no-kernel", "5.10", ["igb"])
    assert not Node("no-kernel", lab_image).leftovers()
