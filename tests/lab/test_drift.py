# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody changed behind our back is found, told without touching anything, and repaired."""

from __future__ import annotations

from typing import Callable

import pytest

from . import Node
from .agent import Agent
from .site import IGB, INTERFACES, NICS, PINS, Site

NIC = INTERFACES[IGB]


@pytest.fixture(scope="module")
def site(module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]) -> Site:
    node = module_node("6.12", *NICS)
    found = Site(node, {NIC: {"pipeline": "scrubber"}}, agent=module_agent(node))
    found.quiet()
    found.run()
    return found


def test_ip_link_cannot_take_our_program_off(site: Site) -> None:
    """net/core/dev.c dev_xdp_attach: a bpf_link holds the hook against netlink."""
    refused = site.node.ssh(f"ip link set {NIC} xdpdrv off", check=False)
    assert refused.returncode != 0 and "Can't replace active BPF XDP link" in refused.stderr
    assert site.link(NIC)["xdp"]["mode"] == 1


def test_a_second_loader_is_answered_ebusy(site: Site) -> None:
    refused = site.node.ssh(f"bpftool net attach xdpdrv pinned {PINS}/scrubber/root dev {NIC}", check=False)
    assert refused.returncode != 0 and "Device or resource busy" in refused.stderr
    assert site.link(NIC)["xdp"]["mode"] == 1


def test_a_ring_and_a_dead_link_are_exactly_what_drift_reports_and_site_repairs(site: Site) -> None:
    site.node.ssh(f"ethtool -G {NIC} rx 512 && bpftool link detach pinned {PINS}/links/{NIC}")
    assert "xdp" not in site.link(NIC)
    assert Site(site.node, site.nics).drift() == [f"{NIC}.rings.rx", f"{NIC}.xdp"], "the drift playbook"
    assert site.rings(NIC)["rx"] == 512 and "xdp" not in site.link(NIC), "drift changed something"
    site_playbook = Site(site.node, site.nics).run()
    repaired = [(step["resource"], step["action"]) for step in site_playbook.node(site.node.name)["steps"]]
    assert repaired == [("rings", "set"), ("xdp", "attach")]
    assert site.rings(NIC)["rx"] == 4096 and site.link(NIC)["xdp"]["mode"] == 1
    assert site.drift() == []
