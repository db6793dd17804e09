# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel upgrade is a reboot of the same disk: one run restores all, the next changes nothing."""

from __future__ import annotations

from typing import Callable

from . import Node
from .site import INTERFACES, NICS, VMXNET3, everything


def test_a_node_rebooted_from_6_1_into_6_12_is_restored_by_one_run(node: Callable[..., Node]) -> None:
    machine = node("6.1", *NICS)
    site = everything(machine)
    site.run()
    assert site.link(INTERFACES[VMXNET3])["xdp"]["mode"] == 2, "Linux 6.1 has no native XDP in vmxnet3"
    machine.reboot(kernel="6.12")
    assert machine.out("uname -r").startswith("6.12.") and "xdp" not in site.link(INTERFACES[VMXNET3])
    site.quiet()
    restored = site.run()
    assert restored.changed(machine.name) == 1
    assert [site.link(name)["xdp"]["mode"] for name in INTERFACES] == [1, 1, 1, 2]
    again = site.run()
    assert again.changed(machine.name) == 0 and site.steps(again) == []
