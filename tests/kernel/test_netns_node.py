# SPDX-License-Identifier: GPL-3.0-or-later
"""The node in a network namespace: what tests and the demo rely on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

from tests.lab.errors import LabError
from tests.netns_node import node as nodes
from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.probes import requires, requires_sshd

pytestmark = requires_sshd

PYUDEV = "import pyudev; print(sorted(d.sys_name for d in pyudev.Context().list_devices(subsystem='net')))"


@pytest.fixture(scope="module")
def node() -> Iterator[NetnsNode]:
    with nodes.node(f"test-{os.getpid()}") as made:
        yield made


def test_sys_shows_only_the_nodes_own_devices(node: NetnsNode) -> None:
    assert node.out("ls /sys/class/net").split() == ["lo", INTERFACE]


def test_pyudev_lists_only_the_nodes_own_devices(node: NetnsNode) -> None:
    assert node.out(f'/usr/bin/python3 -c "{PYUDEV}"') == f"['lo', '{INTERFACE}']"


def test_bpffs_is_the_nodes_own(node: NetnsNode) -> None:
    node.ssh("mkdir /sys/fs/bpf/only-here")
    assert not Path("/sys/fs/bpf/only-here").exists()


@pytest.mark.parametrize("place", ["/etc", "/var/lib", "/root", "/run", "/tmp"])
def test_what_the_node_writes_stays_in_it(node: NetnsNode, place: str) -> None:
    name = f"{place}/wirespeed-probe-{os.getpid()}"
    node.ssh(f"touch {name}")
    assert not Path(name).exists()


def test_frames_from_the_wire_arrive_exactly(node: NetnsNode) -> None:
    counter = f"cat /sys/class/net/{INTERFACE}/statistics/rx_packets"
    before = int(node.out(counter))
    with node.wire() as wire:
        assert wire.stream(500, rate=1e6) == 500
    assert int(node.out(counter)) - before == 500


@requires("ansible")
def test_ansible_reaches_it_over_ssh_with_pipelining(node: NetnsNode, tmp_path: Path) -> None:
    (tmp_path / "inventory.json").write_text(json.dumps(inventory([node])))
    ansible = [str(Path(sys.executable).parent / "ansible"), "-i", str(tmp_path / "inventory.json"), "all"]
    environment = {**os.environ, "ANSIBLE_PIPELINING": "1", "ANSIBLE_SSH_ARGS": "-o ControlMaster=no"}
    done = subprocess.run(
        [*ansible, "-m", "ansible.builtin.setup", "-a", "gather_subset=!all,min"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert f'"ansible_hostname": "{node.name}"' in done.stdout, done.stdout + done.stderr


def test_nothing_is_left_after_down() -> None:
    with nodes.node(f"gone-{os.getpid()}") as made:
        made.ssh("true")
    assert made.leftovers() == []


def test_start_that_fails_leaves_nothing() -> None:
    made = NetnsNode(f"bad-{os.getpid()}")
    with pytest.raises(LabError, match="Invalid number of transmit queues"):
        made.up(queues=100000)
    assert made.leftovers() == []


def test_name_that_is_taken_is_refused(node: NetnsNode) -> None:
    with pytest.raises(LabError, match="exists already"):
        NetnsNode(node.name).up()
    assert node.alive
