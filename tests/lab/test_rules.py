# SPDX-License-Identifier: GPL-3.0-or-later
"""Classification rules on a real driver: QEMU's igb is an 82576, for which the driver sets no filters, and says so."""

from __future__ import annotations

from typing import Any, Callable, Dict

import pytest

from . import Node
from .agent import Agent
from .site import IGB, INTERFACES, Site

NIC = INTERFACES[IGB]
PTP = "ether proto 0x88f7 action 1"


@pytest.fixture(scope="module")
def site(module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]) -> Site:
    """Attached already, so that the rules are asked for under a program."""
    node = module_node("6.12", "igb")
    found = Site(node, {NIC: {"pipeline": "scrubber"}}, agent=module_agent(node))
    found.quiet()
    found.run()
    found.quiet()
    return found


def ask(site: Site, rules: Any, **more: Dict[str, Any]) -> Site:
    return site.ask({NIC: {"pipeline": "scrubber", "tuning": {"ntuple": {"rules": rules}, **more}}})


def shown(site: Site) -> str:
    """Rules as the ethtool command shows them."""
    return site.node.out(f"ethtool -n {NIC}")


def test_the_driver_itself_takes_no_rule(site: Site) -> None:
    """Else the next test would tell of our opinion only."""
    said = site.node.ssh(f"ethtool -N {NIC} flow-type ether proto 0x88f7 action 1 loc 0", check=False)
    assert "Operation not supported" in said.stdout + said.stderr and "Total 0 rules" in shown(site)


def test_a_rule_is_refused_before_any_call_with_what_the_device_lacks(site: Site) -> None:
    play = ask(site, [PTP], rings={"rx": 1024}).run(check=False)
    assert play.code == 2 and "Nothing was changed" in play.output
    assert "no filters that the driver sets" in play.output


def test_no_rules_is_what_there_is(site: Site) -> None:
    asked = ask(site, [])
    assert asked.run().changed(site.node.name) == 0 and asked.drift() == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("ether proto 0x88f7 action 7", "action 0 to 1"),
        ("ether proto 0x88f7 action 1 loc 16", "loc 0 to 15"),
        ("ether proto 0x88f7 context 1", "one of the 0 contexts"),
        ("udp4 dst-port 53 action 1", "igb matches what an Ethernet header has"),
        ("ether port 1 action 1", "'port', which ether does not know"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_before_any_call(site: Site, rule: str, said: str) -> None:
    before = shown(site)
    play = ask(site, [rule]).run(check=False)
    assert play.code == 2 and said in play.output and "Traceback" not in play.output
    assert shown(site) == before


@pytest.mark.parametrize(
    "tuning", [{"rss_contexts": {"contexts": ["queues 1"]}}, {"queue_coalesce": {"rx-usecs": [20, 30]}}]
)
def test_what_igb_has_not_is_refused_with_the_reason(site: Site, tuning: Any) -> None:
    play = site.ask({NIC: {"pipeline": "scrubber", "tuning": tuning}}).run(check=False)
    assert play.code == 2 and "EOPNOTSUPP" in play.output and "igb" in play.output
