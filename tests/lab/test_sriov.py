# SPDX-License-Identifier: GPL-3.0-or-later
"""SR-IOV on a real driver: VFs are made under a program at the cost that the plan announced, once, and undone."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Tuple

import pytest

from tests.depth import deep, kernels

from . import Node
from .agent import Agent
from .site import IGB, INTERFACES, Site

NIC = INTERFACES[IGB]
KERNELS = kernels("WIRESPEED_SETTINGS_KERNELS", "6.12")


@pytest.fixture(scope="module", params=KERNELS)
def site(
    request: pytest.FixtureRequest, module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]
) -> Site:
    node = module_node(request.param, "igb")
    made = Site(node, {NIC: {"pipeline": "scrubber"}}, agent=module_agent(node))
    made.quiet()
    made.run()
    made.quiet()
    return made


def asking(site: Site, vfs: int, **tuning: Any) -> Site:
    return site.ask({NIC: {"pipeline": "scrubber", "tuning": {"sriov": {"vfs": vfs}, **tuning}}})


def shown(site: Site) -> Tuple[int, int]:
    """VFs as `ip link` lists them, and as the kernel counts them."""
    listed = re.findall(r"^\s+vf \d+ ", site.node.out(f"ip link show {NIC}"), re.M)
    return len(listed), int(site.node.out(f"cat /sys/class/net/{NIC}/device/sriov_numvfs"))


def most_channels(site: Site) -> int:
    found = re.search(r"^Combined:\s+(\d+)", site.node.out(f"ethtool -l {NIC}"), re.M)
    assert found
    return int(found[1])


def run_and_count(site: Site) -> Tuple[List[Dict[str, Any]], int]:
    """The steps, and how often the carrier went or came meanwhile."""
    before = site.carrier_changes()[NIC]
    steps: List[Dict[str, Any]] = site.run().node(site.node.name)["steps"]
    site.quiet()
    return steps, site.carrier_changes()[NIC] - before


def test_vfs_are_made_under_a_program_with_the_bounce_that_was_announced(site: Site) -> None:
    program = site.programs()[NIC]
    assert shown(site) == (0, 0) and most_channels(site) == 8
    steps, changes = run_and_count(asking(site, 2))
    assert [(step["resource"], step["disruption"]) for step in steps if step["disruption"] != "none"] == [
        ("sriov", "bounce")
    ]
    assert changes == 2
    assert shown(site) == (2, 2)
    assert most_channels(site) == 2, "as the profile's limit says"
    assert site.programs()[NIC] == program, "the program stays on the hook"


def test_a_second_run_changes_nothing(site: Site) -> None:
    wanted = asking(site, 2)
    assert wanted.run().changed(site.node.name) == 0
    assert wanted.drift() == []


@deep
def test_another_number_goes_by_none(site: Site) -> None:
    """The kernel refuses one number after another with EBUSY; each of the two writes opens the NIC anew."""
    steps, changes = run_and_count(asking(site, 3))
    assert [step["after"] for step in steps if step["resource"] == "sriov"] == [{"vfs": 3}]
    assert changes in (2, 4), "once, or twice where the link is up in between"
    assert shown(site) == (3, 3)


def test_more_than_the_driver_makes_is_refused_before_any_change(site: Site) -> None:
    before = shown(site)
    play = asking(site, 8).run(check=False)
    assert play.code == 2 and "0 to 7" in play.output and "Traceback" not in play.output
    assert shown(site) == before


def test_more_channels_than_are_left_beside_vfs_are_refused_before_any_change(site: Site) -> None:
    play = asking(site, 3, channels={"combined": 4}).run(check=False)
    assert play.code == 2 and "1 to 2" in play.output and "Traceback" not in play.output


@deep
def test_a_step_that_fails_after_it_takes_the_vfs_away_again(site: Site) -> None:
    """Channels below the table that was set: only the kernel knows that a user set it."""
    asking(site, 0).run()
    site.quiet()
    play = asking(site, 2, channels={"combined": 1}, rss={"indirection": None}).run(check=False)
    assert play.code == 2 and "earlier step(s) were undone" in play.output and "Traceback" not in play.output
    site.quiet()
    assert shown(site) == (0, 0) and site.channels(NIC)["combined"] == 2
    assert site.run().changed(site.node.name) == 0


def test_an_emulated_device_and_a_machine_without_frequencies_raise_no_finding(site: Site) -> None:
    warnings = " ".join(site.run("--check").node(site.node.name)["warnings"])
    for word in ("PCIe", "governor", "sleep in", "memory node"):
        assert word not in warnings
