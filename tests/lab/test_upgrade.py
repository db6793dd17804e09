# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel upgrade is a reboot of the same disk: it is foretold, one run restores all, and the next changes nothing."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

import pytest

from tests.depth import deep
from tests.playbook import Play

from . import Node
from .site import INTERFACES, NICS, VIRTIO, VMXNET3, everything

UPGRADE = "wirespeed.xdp.kernel_upgrade"


def changes(play: Play, machine: Node, nic: str, aspect: str) -> Dict[str, Any]:
    """What was foretold for a NIC, by key: what comes."""
    found = play.of(UPGRADE, machine.name)["changes"]
    return {each["key"]: each["after"] for each in found if (each["subject"], each["aspect"]) == (nic, aspect)}


def names(machine: Node, interface: str) -> List[str]:
    """Of the driver's counters, as ethtool shows them."""
    return [line.split(":")[0].strip() for line in machine.out(f"ethtool -S {interface}").splitlines()[1:]]


def test_an_upgrade_from_6_1_to_6_12_comes_as_foretold_and_one_run_restores_all(node: Callable[..., Node]) -> None:
    machine = node("6.1", *NICS)
    site = everything(machine)
    site.quiet()
    site.run()
    assert site.link(INTERFACES[VMXNET3])["xdp"]["mode"] == 2, "Linux 6.1 has no native XDP in vmxnet3"

    before = site.run(name="upgrade", wirespeed_upgrade_to="6.12")
    foretold = before.of(UPGRADE, machine.name)
    assert (foretold["phase"], foretold["severity"], foretold["refusals"]) == ("before", "changes", [])
    assert changes(before, machine, INTERFACES[VMXNET3], "xdp")["attach"] == "native"
    moved = changes(before, machine, INTERFACES[VIRTIO], "counter")["xdp_drop"]
    assert moved == "rx{q}_xdp_drops" and "rx0_xdp_drops" not in names(machine, INTERFACES[VIRTIO])

    machine.reboot(kernel="6.12")
    assert machine.out("uname -r") == foretold["target"] and "xdp" not in site.link(INTERFACES[VMXNET3])
    site.quiet()
    restored = site.run(name="upgrade", wirespeed_upgrade_to="6.12")
    assert restored.node(machine.name)["changed"]
    assert [site.link(name)["xdp"]["mode"] for name in INTERFACES] == [1, 1, 1, 2]
    assert "rx0_xdp_drops" in names(machine, INTERFACES[VIRTIO])
    compared = restored.of(UPGRADE, machine.name)
    assert compared["foretold"] == foretold["kernel"]
    assert (compared["differences"], compared["untold"], compared["left"]) == ([], [], [])

    again = site.run()
    assert again.changed(machine.name) == 0 and site.steps(again) == []


@deep
@pytest.mark.parametrize(("old", "new"), [("6.12", "newest")])
def test_another_upgrade_comes_as_foretold(node: Callable[..., Node], old: str, new: str) -> None:
    machine = node(old, *NICS)
    site = everything(machine)
    site.quiet()
    site.run()
    target = machine.image.kernel(new).release
    foretold = site.run(name="upgrade", wirespeed_upgrade_to=target).of(UPGRADE, machine.name)
    assert foretold["target"] == target and foretold["severity"] != "breaks"
    machine.reboot(kernel=new)
    site.quiet()
    compared = site.run(name="upgrade", wirespeed_upgrade_to=target).of(UPGRADE, machine.name)
    assert (compared["foretold"], compared["differences"], compared["left"]) == (foretold["kernel"], [], [])
    assert compared["untold"] == []
    again = site.run(name="upgrade", wirespeed_upgrade_to=target)
    assert again.changed(machine.name) == 0
