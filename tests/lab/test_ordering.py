# SPDX-License-Identifier: GPL-3.0-or-later
"""virtio_net refuses a channel change under XDP: the plan detaches, states the gap, and asks for leave."""

from __future__ import annotations

from typing import Callable

import pytest

from . import Node
from .agent import Agent
from .site import INTERFACES, NICS, VIRTIO, Site

NIC = INTERFACES[VIRTIO]


@pytest.fixture(scope="module")
def site(module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]) -> Site:
    node = module_node("6.12", *NICS)
    found = Site(node, {NIC: {"pipeline": "scrubber"}}, agent=module_agent(node))
    found.quiet()
    found.run()
    return found


def ask(site: Site, channels: int, **more: str) -> Site:
    return site.ask({NIC: {"pipeline": "scrubber", "tuning": {"channels": {"combined": channels}}, **more}})


def test_the_kernel_itself_refuses_channels_under_xdp(site: Site) -> None:
    refused = site.node.ssh(f"ethtool -L {NIC} combined 1", check=False)
    assert refused.returncode != 0 and "Invalid argument" in refused.stderr


def test_the_gap_is_refused_with_its_reason_when_only_a_pause_is_allowed(site: Site) -> None:
    before = site.programs()
    play = ask(site, 1, max_disruption="pause").run(check=False)
    assert play.code == 2 and "Traceback" not in play.output
    assert "virtio_net refuses channels while a native program is attached" in play.output
    assert "max_disruption is pause" in play.output
    assert site.programs() == before and site.channels(NIC)["combined"] == 4


def test_the_program_is_detached_for_the_change_and_attached_again(site: Site) -> None:
    asked = ask(site, 1)
    steps = [
        (step["action"], step["resource"], step["disruption"]) for step in asked.run().node(site.node.name)["steps"]
    ]
    actions = [f"{action} {resource}" for action, resource, _ in steps]
    assert actions.index("detach xdp") < actions.index("set channels") < actions.index("attach xdp")
    assert ("detach", "xdp", "gap") in steps
    assert site.channels(NIC)["combined"] == 1 + 2, "one channel, and one XDP queue for each CPU"
    assert site.link(NIC)["xdp"]["mode"] == 1
    again = asked.run()
    assert again.changed(site.node.name) == 0
