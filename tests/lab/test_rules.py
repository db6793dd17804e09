# SPDX-License-Identifier: GPL-3.0-or-later
"""Classification rules on a real driver: igb matches what an Ethernet header has, and refuses the rest.

Where frames go is not looked at: QEMU's igb takes a rule's type into the descriptor and its queue from RSS alone
(hw/net/igb_core.c igb_receive_assign).
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List

import pytest

from . import Node
from .agent import Agent
from .site import IGB, INTERFACES, Site

NIC = INTERFACES[IGB]
PTP, FROM = "ether proto 0x88f7 action 1", "ether src 02:00:00:00:00:0a action 0"
VLAN = "ether vlan 10 action 1"
"""igb compares the priority of a tag, not its number."""
RULES = [PTP, "ether vlan 0x6000 m 0x1fff action 1", FROM]


@pytest.fixture(scope="module")
def site(module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]) -> Site:
    """Attached already, so that the rules are changed under a program."""
    node = module_node("6.12", "igb")
    found = Site(node, {NIC: {"pipeline": "scrubber"}}, agent=module_agent(node))
    found.quiet()
    found.run()
    found.quiet()
    return found


def ask(site: Site, rules: Any, **more: Dict[str, Any]) -> Site:
    return site.ask({NIC: {"pipeline": "scrubber", "tuning": {"ntuple": {"rules": rules}, **more}}})


def shown(site: Site) -> Dict[int, str]:
    """Rules by location, as the ethtool command shows them."""
    text = site.node.out(f"ethtool -n {NIC}")
    return {
        int(place): " ".join(rule.split()) for place, rule in re.findall(r"Filter: (\d+)\n(.*?)(?:\n\n|\Z)", text, re.S)
    }


def steps(site: Site) -> List[Dict[str, Any]]:
    return [step for step in site.run().node(site.node.name)["steps"] if step["resource"] == "ntuple"]


def test_rules_are_set_without_disruption_and_as_ethtool_shows_them(site: Site) -> None:
    before = site.carrier_changes()
    assert [step["disruption"] for step in steps(ask(site, RULES))] == ["none"]
    assert site.carrier_changes() == before
    rules = shown(site)
    assert list(rules) == [0, 1, 2]
    assert "Ethertype: 0x88F7 mask: 0x0" in rules[0] and rules[0].endswith("Action: Direct to queue 1")
    assert "VLAN: 0x6000 mask: 0x1fff" in rules[1] and rules[1].endswith("Action: Direct to queue 1")
    assert "Src MAC addr: 02:00:00:00:00:0A mask: 00:00:00:00:00:00" in rules[2]


def test_the_same_rules_again_change_nothing(site: Site) -> None:
    asked = ask(site, RULES)
    assert asked.run().changed(site.node.name) == 0
    assert asked.drift() == []


def test_rules_stay_over_other_channels_and_a_new_attach(site: Site) -> None:
    asked = ask(site, RULES, channels={"combined": 1})
    play = asked.run(check=False)
    assert play.code == 2 and "action 0 to 0, the receive queues as planned" in play.output
    ask(site, RULES, rings={"rx": 512}).run()
    site.node.ssh(f"rm -f /sys/fs/bpf/wirespeed/links/{NIC}; ip link set {NIC} xdp off || true")
    asked = ask(site, RULES)
    asked.run()
    asked.quiet()
    assert asked.drift() == []
    assert list(shown(site)) == [0, 1, 2]


def test_a_rule_of_somebody_else_goes_when_rules_are_asked_for(site: Site) -> None:
    site.node.ssh(f"ethtool -N {NIC} flow-type ether proto 0x88cc action 1 loc 9")
    unasked = site.ask({NIC: {"pipeline": "scrubber"}})
    unasked.run()
    assert list(shown(site)) == [0, 1, 2, 9]
    asked = ask(site, RULES)
    assert asked.drift() == [f"{NIC}.ntuple"]
    asked.run()
    assert list(shown(site)) == [0, 1, 2]


def test_rules_that_ethtool_made_are_taken_as_they_are(site: Site) -> None:
    ask(site, []).run()
    assert shown(site) == {}
    site.node.ssh(f"ethtool -N {NIC} flow-type ether proto 0x88f7 action 1 loc 0")
    assert ask(site, [PTP]).drift() == []


def test_a_refused_rule_is_named_and_all_of_the_run_is_undone(site: Site) -> None:
    ask(site, [PTP]).run()
    before, rings = shown(site), site.rings(NIC)
    play = ask(site, [FROM, VLAN], rings={"rx": 1024}).run(check=False)
    assert play.code == 2 and "Traceback" not in play.output
    assert f"{VLAN} loc 1" in play.output and "EINVAL" in play.output
    assert "the node is as before" in play.output
    site.quiet()
    assert (shown(site), site.rings(NIC)) == (before, rings)


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
