# SPDX-License-Identifier: GPL-3.0-or-later
"""What drivers break without a word: found by drift or by counting under traffic, and put right by a run."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.depth import deep
from tests.playbook import Play

from . import Node
from .agent import Agent
from .site import INTERFACES, NICS, VIRTIO, VMXNET3, Site

COUNTING = {
    "wirespeed_verify_counters": True,
    "wirespeed_verify_window_seconds": 60,
    "wirespeed_verify_min_packets": 400,
}
REATTACH = """
import sys
sys.path.insert(0, "/root/engine")
from wirespeed.model.step import Action, Step
from wirespeed.pipeline.actuator import PipelineActuator
from wirespeed.pipeline.pins import Paths
detach = Step(sys.argv[1], Action.DETACH, "xdp", {"mode": "native", "pipeline": "scrubber"}, {}, "", "")
for step in (detach, detach.inverted()):
    PipelineActuator(Paths(), {}).apply(step)
"""


@pytest.fixture(scope="module")
def machine(module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]) -> Site:
    node = module_node("6.12", *NICS)
    return Site(node, {}, agent=module_agent(node))


def reattach(machine: Site, nic: str) -> None:
    """Detach our program and attach it again, as a tool would that knows nothing of RSS."""
    machine.node.ssh(f"python3 - {nic}", feed=REATTACH)


def verified_by_the_playbook(site: Site, index: int) -> Play:
    with site.traffic(index):
        return Site(site.node, site.nics).run(check=False, **COUNTING)


def counted(site: Site, index: int) -> Play:
    with site.traffic(index):
        return site.count(window_seconds=60, min_packets=400)


@deep
def test_rss_that_is_off_in_the_device_while_its_table_reads_back(machine: Site) -> None:
    """virtio_net: native attach turns the device's RSS off (Linux 6.1 to 7.2, QEMU's device)."""
    nic = INTERFACES[VIRTIO]
    site = machine.ask({nic: {"pipeline": "scrubber", "tuning": {"rss": {"indirection": "weights 0 1"}}}})
    site.run()
    site.quiet()
    assert verified_by_the_playbook(site, VIRTIO).code == 0, "with the table written last, all frames are on queue 1"

    reattach(machine, nic)
    assert set(site.table(nic)) == {1}, "the table reads back as if nothing had happened"
    assert site.drift() == [f"{nic}.rss.indirection"]

    steps = [step["resource"] for step in site.run().node(machine.node.name)["steps"]]
    assert steps == ["rss"]
    assert counted(site, VIRTIO).code == 0


def test_frames_on_queues_that_the_table_does_not_name_are_found_under_traffic(machine: Site) -> None:
    nic = INTERFACES[VIRTIO]
    site = machine.ask({nic: {"pipeline": "scrubber", "tuning": {"rss": {"indirection": "weights 0 1"}}}})
    site.run()
    site.quiet()
    reattach(machine, nic)
    asked = machine.ask({nic: {"pipeline": "scrubber", "tuning": {"rss": {"indirection": None}}}})
    play = counted(asked, VIRTIO)
    assert play.code == 2 and "table" in play.output and "Traceback" not in play.output


def test_lro_that_comes_back_under_xdp(machine: Site) -> None:
    """vmxnet3: attach only masks LRO, and on a NIC that is down no check keeps a request for it off."""
    nic = INTERFACES[VMXNET3]
    site = machine.ask({nic: {"pipeline": "scrubber"}})
    site.run()
    unrelated = f"ip link set {nic} down; ethtool -K {nic} rx off; ethtool -K {nic} rx on; ip link set {nic} up"
    machine.node.ssh(unrelated)
    assert site.features(nic)["large-receive-offload"] is False, "LRO is requested off, so it stays off"
    machine.node.ssh(f"ethtool -K {nic} lro on; {unrelated}", check=False)
    assert site.features(nic)["large-receive-offload"] is True and site.link(nic)["xdp"]["mode"] == 1
    found = set(site.drift()) - {f"{nic}.irq_affinity.cpus"}  # a NIC that was down has its interrupts placed anew
    assert found == {f"{nic}.features.rx-lro"}
    site.run()
    assert site.features(nic)["large-receive-offload"] is False and site.drift() == []


@pytest.mark.parametrize("index", [VIRTIO, VMXNET3], ids=["virtio_net", "vmxnet3"])
def test_an_mtu_that_xdp_cannot_hold_but_the_driver_accepts(machine: Site, index: int) -> None:
    nic = INTERFACES[index]
    site = machine.ask({nic: {"pipeline": "scrubber", "tuning": {"mtu": {"mtu": 1500}}}})
    site.run()
    site.quiet()
    machine.node.ssh(f"ip link set {nic} mtu 9000")
    assert site.link(nic)["mtu"] == 9000, "the kernel took it"
    assert f"{nic}.mtu.mtu" in site.drift()
    site.run()
    assert site.link(nic)["mtu"] == 1500 and site.link(nic)["xdp"]["mode"] == 1


def test_an_mtu_that_nobody_manages_is_refused_with_its_cure(machine: Site) -> None:
    nic = INTERFACES[VMXNET3]
    site = machine.ask({nic: {"pipeline": "scrubber"}})
    site.run()
    machine.node.ssh(f"ip link set {nic} mtu 9000")
    try:
        play = site.run(check=False)
        assert play.code == 2 and "MTU 9000" in play.output and "Set tuning mtu" in play.output
    finally:
        machine.node.ssh(f"ip link set {nic} mtu 1500")
