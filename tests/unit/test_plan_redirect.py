# SPDX-License-Identifier: GPL-3.0-or-later
"""NICs into which others redirect: who they are, what they need, in which order, and which cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List, Optional, Sequence

import pytest

from wirespeed.errors import BadInput, Place
from wirespeed.gather import pipelines_of
from wirespeed.model.desired import Desired, DesiredNic, RedirectTarget
from wirespeed.model.intent import Intent, parse
from wirespeed.model.nic import Nic, XdpAttachment, XdpMode
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.model.step import Disruption, Plan
from wirespeed.plan.planner import plan
from wirespeed.redirect import select_with_targets

from .plan_cases import OURS, SETTLE, nic, node, profile
from .profile_cases import built_in

HERE = Place("intent")
SENDER = {"name": "eth1", "pipeline": "scrubber", "workload": "forward", "redirect_to": ["eth2"]}


def intent(*more: Any, **changes: Any) -> Intent:
    return parse({"nics": [{**SENDER, **changes}, *more], "pipelines": [{"name": "scrubber"}]}, HERE)


def driver(name: str, ifname: str = "eth2", **changes: Any) -> Nic:
    """With nothing but its driver's name: what redirecting needs does not depend on the settings."""
    return nic(name=ifname, driver=name, **{"settings": {}, **changes})


def selected(wanted: Intent, *nics: Nic) -> List[Any]:
    """Name, pipeline and mode of each NIC that takes part."""
    found = select_with_targets(wanted, node(driver("igb", "eth1"), *nics), built_in(), HERE)
    return [(each.name, entry.pipeline, entry.mode) for each, entry in found]


class TestWhoTakesPart:
    def test_target_that_needs_a_program_gets_the_one_that_passes(self) -> None:
        assert selected(intent(), driver("igb"))[1] == ("eth2", "pass", XdpMode.NATIVE)

    def test_target_that_no_entry_names_is_not_tuned(self) -> None:
        (_, (_, entry)) = select_with_targets(intent(), node(nic(), driver("igb")), built_in(), HERE)
        assert not entry.profile_tuning and not entry.tuning

    def test_target_with_an_entry_keeps_its_tuning(self) -> None:
        wanted = intent({"name": "eth2", "tuning": {"rings": {"rx": 512}}})
        rings = driver("igb", settings={Setting.RINGS: SettingFacts({"rx": 256}, {"rx": 4096})})
        (_, (_, entry)) = select_with_targets(wanted, node(nic(), rings), built_in(), HERE)
        assert entry.pipeline == "pass" and entry.tuning == {"rings": {"rx": 512}} and entry.profile_tuning

    def test_target_with_a_pipeline_of_its_own_keeps_that(self) -> None:
        wanted = intent({"name": "eth2", "pipeline": "scrubber"})
        assert selected(wanted, driver("igb"))[1] == ("eth2", "scrubber", None)

    def test_target_that_needs_none_gets_none(self) -> None:
        assert selected(intent(), driver("igc"))[1] == ("eth2", None, None)

    def test_target_that_the_kernel_says_is_one_without_a_program_gets_none(self) -> None:
        shown = driver("surprise", xdp_features=frozenset({"basic", "redirect", "ndo-xmit"}))
        assert selected(intent(), shown)[1] == ("eth2", None, None)

    def test_program_of_another_hand_serves_as_well(self) -> None:
        other = driver("igb", xdp=XdpAttachment(XdpMode.NATIVE, 9, "other"))
        assert selected(intent(), other)[1] == ("eth2", None, None)

    def test_ours_that_was_attached_for_this_stays_wanted(self) -> None:
        ours = driver("igb", xdp=replace(OURS, pipeline="pass"), xdp_features=frozenset({"basic", "ndo-xmit"}))
        assert selected(intent(), ours)[1] == ("eth2", "pass", XdpMode.NATIVE)

    def test_strictest_of_those_that_redirect_there_says_how_much_it_may_cost(self) -> None:
        wanted = intent({**SENDER, "name": "eth3", "max_disruption": "bounce"}, max_disruption="pause")
        there = node(nic(), driver("igb"), driver("igb", "eth3"))
        entries = {each.name: entry for each, entry in select_with_targets(wanted, there, built_in(), HERE)}
        assert entries["eth2"].max_disruption is Disruption.PAUSE

    def test_unknown_target_is_told_with_those_that_exist(self) -> None:
        with pytest.raises(BadInput, match=r"nics\[0\].redirect_to: 'eth2' is not on this node. It has: eth1"):
            selected(intent())


class TestIntent:
    def test_redirecting_is_for_those_who_forward(self) -> None:
        with pytest.raises(BadInput, match=r"nics\[0\].redirect_to: is given for workload drop"):
            intent(workload="drop")

    def test_passing_pipeline_comes_along(self) -> None:
        assert [(each.name, each.implied) for each in intent().pipelines] == [("scrubber", False), ("pass", True)]
        assert [each.name for each in intent(redirect_to=[]).pipelines] == ["scrubber"]

    def test_bundle_gets_it_once(self) -> None:
        asked = {"nics": [SENDER], "pipelines": [{"name": "scrubber"}]}
        assert [each["name"] for each in pipelines_of(asked)] == ["scrubber", "pass"]
        assert len(pipelines_of({**asked, "pipelines": [{"name": "pass"}]})) == 1
        assert pipelines_of({"nics": [{"name": "eth1"}], "pipelines": None}) == []

    def test_targets_are_looked_at_by_name(self) -> None:
        assert intent().names == ("eth1", "eth2")


def planned(
    target: RedirectTarget,
    goal: Optional[str] = "pass",
    nics: Sequence[Nic] = (),
    mode: Optional[XdpMode] = XdpMode.NATIVE,
) -> Plan:
    there = node(*(nics or (nic(name="eth1"), nic(name="eth2"))))
    sender = DesiredNic("eth1", profile({}), "scrubber", None, Disruption.GAP, redirect_to=("eth2",))
    taker = DesiredNic("eth2", profile({}, redirect_target=target), goal, mode, Disruption.GAP)
    return plan(there, Desired((sender, taker)), SETTLE)


class TestPlan:
    def test_target_has_its_program_before_anything_is_redirected_there(self) -> None:
        made = planned(RedirectTarget("with_program"))
        assert [(step.target, step.after["pipeline"]) for step in made.steps] == [
            ("eth2", "pass"),
            ("eth1", "scrubber"),
        ]

    def test_two_that_redirect_into_each_other_keep_the_intents_order(self) -> None:
        both = [
            DesiredNic(one, profile({}), "scrubber", None, Disruption.GAP, redirect_to=(other,))
            for one, other in (("eth1", "eth2"), ("eth2", "eth1"))
        ]
        made = plan(node(nic(name="eth1"), nic(name="eth2")), Desired(tuple(both)), SETTLE)
        assert sorted(step.target for step in made.steps) == ["eth1", "eth2"] and not made.refusals

    def test_driver_that_takes_none_is_refused_with_its_reason(self) -> None:
        made = planned(RedirectTarget("never", "it has no ndo_xdp_xmit"), None)
        (refusal,) = made.refusals
        assert (refusal.target, refusal.resource) == ("eth1", "redirect_to")
        assert "eth2 cannot take redirected frames: it has no ndo_xdp_xmit." in refusal.reason

    def test_cure_of_the_profile_is_told(self) -> None:
        made = planned(RedirectTarget("never", "no NAPI at the other end", "Turn GRO on there."), None)
        assert made.refusals[0].remedy == "Turn GRO on there."

    def test_generic_program_does_not_make_a_target(self) -> None:
        made = planned(RedirectTarget("with_program", "ENXIO without"), mode=XdpMode.GENERIC)
        assert "only under a native program" in made.refusals[0].reason

    def test_target_that_takes_always_needs_no_program(self) -> None:
        assert planned(RedirectTarget("always"), None).refusals == ()

    def test_too_few_queues_for_the_cpus_are_told(self) -> None:
        assert "eth2: Frames are lost." in planned(RedirectTarget("always", caution="Frames are lost.")).warnings
