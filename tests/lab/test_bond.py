# SPDX-License-Identifier: GPL-3.0-or-later
"""A bond of two real igb NICs: both are tuned and attached by one run, and the bond never loses its carrier."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

import pytest

from tests.depth import deep

from . import Node
from .agent import Agent
from .site import Site

FIRST, SECOND, BESIDE = "enp1s0", "enp2s0", "enp3s0"
MEMBERS = (FIRST, SECOND)
BOND = (
    "modprobe bonding max_bonds=0; ip link add bond0 type bond mode active-backup miimon 100 && "
    + "".join(f"ip link set {name} down && ip link set {name} master bond0 && " for name in MEMBERS)
    + "ip link set bond0 up"
)


def changes(node: Node, interface: str) -> int:
    return int(node.out(f"cat /sys/class/net/{interface}/carrier_changes"))


def serving(node: Node) -> int:
    """How many members the bond's own monitor has up."""
    return int(node.out("grep -A1 '^Slave Interface' /proc/net/bonding/bond0 | grep -c 'Status: up' || true"))


@pytest.fixture(scope="module")
def site(module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]) -> Site:
    node = module_node("6.12", "igb", "igb", "igb")
    asked = {"pipeline": "scrubber", "tuning": {"rings": {"rx": 512, "tx": 512}}}
    found = Site(node, {FIRST: asked, SECOND: asked}, agent=module_agent(node))
    found.quiet()
    node.ssh(BOND)
    Site.until(lambda: serving(node) == 2, "the bond has not both of its members")
    return found


@pytest.fixture(scope="module")
def run(site: Site) -> Dict[str, Any]:
    """The first run's steps, and how often each link had changed before and after it."""
    before = {name: changes(site.node, name) for name in (*MEMBERS, "bond0")}
    predicted = site.steps(site.run("--check"))
    steps = site.run().node(site.node.name)["steps"]
    Site.until(lambda: serving(site.node) == 2, "the bond has not both of its members back")
    return {"steps": steps, "predicted": predicted, "before": before,
            "after": {name: changes(site.node, name) for name in before}}  # fmt: skip


def of_nics(steps: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return [step for step in steps if step["target"] in MEMBERS]


def test_second_member_is_touched_when_the_first_is_back(run: Dict[str, Any]) -> None:
    steps = of_nics(run["steps"])
    waits = [i for i, step in enumerate(steps) if step["action"] == "await"]
    assert len(waits) == 1 and steps[waits[0]]["after"]["next"] == SECOND
    assert {step["target"] for step in steps[: waits[0] + 1]} == {FIRST}
    assert {step["target"] for step in steps[waits[0] + 1 :]} == {SECOND}
    assert [step["resource"] for step in steps].count("rings") == 2
    assert run["predicted"] == [step["text"] for step in run["steps"]]


def test_members_bounced_and_the_bond_did_not(run: Dict[str, Any]) -> None:
    assert all(run["after"][name] > run["before"][name] for name in MEMBERS)
    assert run["after"]["bond0"] == run["before"]["bond0"]


def test_second_run_changes_nothing(site: Site, run: Dict[str, Any]) -> None:
    assert site.run().changed(site.node.name) == 0
    assert all(site.rings(name)["rx"] == 512 for name in MEMBERS)


def test_last_member_with_a_carrier_is_left_alone(site: Site, run: Dict[str, Any]) -> None:
    site.node.ssh(f"ip link set {SECOND} down")
    Site.until(lambda: serving(site.node) == 1, "the bond still has both of its members")
    before = changes(site.node, "bond0")
    play = site.ask({FIRST: {"tuning": {"rings": {"rx": 1024}}}}).run(check=False)
    assert play.code == 2 and "bond0 would be without a carrier" in play.output and "Traceback" not in play.output
    assert site.rings(FIRST)["rx"] == 512 and changes(site.node, "bond0") == before
    site.node.ssh(f"ip link set {SECOND} up")
    Site.until(lambda: serving(site.node) == 2, "the bond has not both of its members back")


def test_members_mtu_is_the_bonds_to_set(site: Site, run: Dict[str, Any]) -> None:
    play = site.ask({name: {"tuning": {"mtu": {"mtu": 1400}}} for name in MEMBERS}).run(check=False)
    assert play.code == 2 and "ip link set bond0 mtu 1400" in play.output


@deep
def test_run_that_fails_at_the_second_member_is_undone_without_cutting_the_bond_off(
    site: Site, run: Dict[str, Any]
) -> None:
    """The first member's rings are changed, the link of that member is cut, and the second is never touched."""
    before = {name: changes(site.node, name) for name in ("bond0", SECOND)}
    site.node.ssh(
        f"(until [ $(cat /sys/class/net/{FIRST}/carrier_changes) -gt {changes(site.node, FIRST)} ]; do :; done; "
        f"ip link set {FIRST} down) >/dev/null 2>&1 &"
    )
    play = site.ask({name: {"tuning": {"rings": {"rx": 1024}}} for name in MEMBERS}).run(check=False)
    assert play.code == 2 and f"{SECOND} was not touched" in play.output and "the node is as before" in play.output
    assert {name: changes(site.node, name) for name in before} == before
    site.node.ssh(f"ip link set {FIRST} up")
    Site.until(lambda: serving(site.node) == 2, "the bond has not both of its members back")
    assert all(site.rings(name)["rx"] == 512 for name in MEMBERS)


def test_target_of_redirects_gets_its_program_first(site: Site, run: Dict[str, Any]) -> None:
    """igb_xdp_xmit answers ENXIO without one; the VLAN on top of it stays as it is."""
    site.node.ssh(
        f"ip link set {BESIDE} up; ip link add link {BESIDE} name {BESIDE}.5 type vlan id 5; ip link set {BESIDE}.5 up"
    )
    wanted = {**site.nics, FIRST: {**site.nics[FIRST], "workload": "forward", "redirect_to": [BESIDE]}}
    asked = site.ask(wanted)
    steps = asked.run().node(site.node.name)["steps"]
    attached = [step for step in steps if step["action"] == "attach"]
    assert [(step["target"], step["after"]["pipeline"]) for step in attached] == [(BESIDE, "pass")]
    assert site.link(BESIDE)["xdp"]["mode"] == 1
    assert asked.run().changed(site.node.name) == 0
    assert site.link(f"{BESIDE}.5")["mtu"] == 1500
