# SPDX-License-Identifier: GPL-3.0-or-later
"""Bonds keep their carrier, what lies on top of a NIC keeps its MTU, and a program there rules out one below."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Tuple

import pytest

from wirespeed.model.desired import Desired, DesiredNic, DesiredPipeline, ResolvedProfile
from wirespeed.model.nic import Nic
from wirespeed.model.node import CARRIER_PATIENCE, Member, Node, Upper
from wirespeed.model.settings import Setting
from wirespeed.model.step import Action, Disruption, Plan
from wirespeed.plan.planner import plan

from .plan_cases import OURS, SETTLE, nic, node, profile

RINGS = profile({Setting.RINGS: {"rx": 512}})
PIPELINES = (DesiredPipeline("scrubber", "g1", "d1", {}, "scrubber 1"),)


def upper(kind: str = "bond", members: str = "eth1 eth2", down: str = "", **changes: Any) -> Upper:
    """``members`` all serve but those named in ``down``."""
    found = tuple(Member(name, name not in down.split()) for name in members.split())
    return Upper(**{"name": f"{kind}0", "kind": kind, "up": True, "mtu": 1500, "members": found, **changes})


def planned(wanted: Mapping[str, ResolvedProfile], *uppers: Upper, nics: Tuple[Nic, ...] = (), **changes: Any) -> Plan:
    """NICs carry the pipeline already, so that only their tuning is planned."""
    found: Dict[str, Nic] = {name: nic(OURS, name=name) for name in wanted}
    found.update({each.name: each for each in nics})
    there: Node = replace(node(*found.values()), uppers={each.name: each for each in uppers}, **changes)
    asked = tuple(DesiredNic(name, each, "scrubber", None, Disruption.GAP) for name, each in wanted.items())
    return plan(there, Desired(asked, PIPELINES), SETTLE)


def told(made: Plan) -> List[str]:
    return [f"{step.target} {step.action} {step.resource}" for step in made.steps]


class TestOneMemberAfterTheOther:
    def test_second_waits_for_the_firsts_carrier(self) -> None:
        made = planned({"eth1": RINGS, "eth2": RINGS}, upper())
        assert told(made) == ["eth1 set rings", "eth1 await carrier", "eth2 set rings"]
        assert made.refusals == ()

    def test_wait_says_for_whom_how_long_and_is_no_drift(self) -> None:
        wait = planned({"eth1": RINGS, "eth2": RINGS}, upper(updelay=2.5)).steps[1]
        assert dict(wait.after) == {"master": "bond0", "next": "eth2", "seconds": CARRIER_PATIENCE + 3}
        assert wait.disruption is Disruption.NONE and wait.because == "rings" and "bond0" in wait.why

    def test_undo_of_a_wait_is_one_too(self) -> None:
        wait = planned({"eth1": RINGS, "eth2": RINGS}, upper()).steps[1]
        assert wait.inverted().action is Action.AWAIT and wait.inverted().before == wait.after

    def test_third_waits_for_both(self) -> None:
        made = planned(dict.fromkeys(("eth1", "eth2", "eth3"), RINGS), upper(members="eth1 eth2 eth3"))
        assert told(made)[-2:] == ["eth2 await carrier", "eth3 set rings"]
        assert told(made).count("eth1 await carrier") == 1

    def test_other_nic_between_them_runs_while_the_link_comes_back(self) -> None:
        made = planned(dict.fromkeys(("eth1", "eth5", "eth2"), RINGS), upper())
        assert told(made) == ["eth1 set rings", "eth5 set rings", "eth1 await carrier", "eth2 set rings"]

    def test_member_that_is_not_disturbed_waits_for_nobody(self) -> None:
        quiet = profile({Setting.MTU: {"mtu": 1500}, Setting.FEATURES: {"rx-lro": True}})
        assert told(planned({"eth1": RINGS, "eth2": quiet}, upper())) == ["eth1 set rings", "eth2 set features"]

    def test_members_of_two_bonds_do_not_wait_for_each_other(self) -> None:
        bonds = (upper(members="eth1 eth3"), upper(name="bond1", members="eth2 eth4"))
        assert told(planned({"eth1": RINGS, "eth2": RINGS}, *bonds)) == ["eth1 set rings", "eth2 set rings"]

    def test_ports_of_a_bridge_do_not_wait(self) -> None:
        assert "await" not in " ".join(told(planned({"eth1": RINGS, "eth2": RINGS}, upper("bridge"))))

    def test_other_member_may_be_a_nic_that_the_intent_does_not_name(self) -> None:
        made = planned({"eth1": RINGS}, upper(members="eth1 eth9"))
        assert told(made) == ["eth1 set rings"] and made.refusals == ()


class TestLastCarrier:
    def test_is_not_given_up(self) -> None:
        (refusal,) = planned({"eth1": RINGS}, upper(down="eth2")).refusals
        assert "bond0 would be without a carrier" in refusal.reason and "(eth2) none" in refusal.reason
        assert "nomaster" in refusal.remedy

    def test_member_without_a_carrier_has_none_to_lose_and_is_not_waited_for(self) -> None:
        made = planned({"eth1": RINGS, "eth2": replace(RINGS, tuning={})}, upper(down="eth1"))
        assert made.refusals == () and told(made) == ["eth1 set rings"]

    def test_bond_of_one_is_told_not_refused(self) -> None:
        made = planned({"eth1": RINGS}, upper(members="eth1"))
        assert made.refusals == () and any("only member of bond0" in each for each in made.warnings)

    def test_bond_that_is_down_has_none(self) -> None:
        assert planned({"eth1": RINGS}, upper(down="eth2", up=False)).refusals == ()

    def test_min_links_count(self) -> None:
        (refusal,) = planned({"eth1": RINGS}, upper(min_links=2)).refusals
        assert "needs 2 (min_links)" in refusal.reason

    def test_quiet_change_needs_no_other_member(self) -> None:
        quiet = profile({Setting.FEATURES: {"rx-lro": True}})
        assert planned({"eth1": quiet}, upper(down="eth2")).refusals == ()


class TestMtu:
    def asked(self, mtu: int) -> Dict[str, ResolvedProfile]:
        return {"eth1": profile({Setting.MTU: {"mtu": mtu}})}

    @pytest.mark.parametrize("kind", ["bond", "team"])
    def test_members_have_their_masters(self, kind: str) -> None:
        (refusal,) = planned(self.asked(9000), upper(kind)).refusals
        assert f"ip link set {kind}0 mtu 9000" in refusal.remedy

    def test_member_that_strayed_from_its_bond_is_brought_back(self) -> None:
        assert planned(self.asked(9000), upper(mtu=9000)).refusals == ()

    @pytest.mark.parametrize("kind", ["vlan", "macvlan", "ipvlan", "bridge"])
    def test_lower_one_would_shrink_what_is_on_top(self, kind: str) -> None:
        (refusal,) = planned(self.asked(1400), upper(kind, members="eth1")).refusals
        assert f"shrink {kind}0" in refusal.reason and f"ip link set {kind}0 mtu 1400" in refusal.remedy

    def test_lower_one_that_leaves_all_on_top_as_it_is_is_fine(self) -> None:
        assert planned(self.asked(1400), upper("vlan", members="eth1", mtu=1400)).refusals == ()

    def test_macsec_needs_room_for_its_tag(self) -> None:
        (refusal,) = planned(self.asked(1480), upper("macsec", members="eth1", mtu=1468)).refusals
        assert "from 1468 to 1448" in refusal.reason

    def test_bridge_that_grows_with_its_port_is_told(self) -> None:
        assert any("bridge0" in each for each in planned(self.asked(9000), upper("bridge", members="eth1")).warnings)


class TestPrograms:
    BARE = (nic(name="eth1"),)

    def test_one_on_top_rules_out_one_below(self) -> None:
        made = planned({"eth1": profile({})}, upper("vlan", members="eth1", program=True), nics=self.BARE)
        assert [refusal.resource for refusal in made.refusals] == ["xdp"] and "EEXIST" in made.refusals[0].reason

    def test_one_that_is_attached_already_stays(self) -> None:
        assert planned({"eth1": profile({})}, upper("vlan", members="eth1", program=True)).refusals == ()

    def test_bond_takes_none_while_a_member_has_its_own(self) -> None:
        members = (Member("eth1", True, program=True), Member("eth2", True))
        made = planned({"bond0": profile({})}, replace(upper(), members=members), nics=(nic(name="bond0"),))
        assert "members eth1 carry programs" in made.refusals[0].reason


def test_nic_of_the_ssh_connection_is_told_before_it_bounces() -> None:
    assert any("SSH connection" in each for each in planned({"eth1": RINGS}, session=("bond0", "eth1")).warnings)
    quiet = profile({Setting.FEATURES: {"rx-lro": True}})
    assert planned({"eth1": quiet}, session=("eth1",)).warnings == planned({"eth1": quiet}).warnings
