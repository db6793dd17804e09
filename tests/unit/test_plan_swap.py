# SPDX-License-Identifier: GPL-3.0-or-later
"""What NICs carry, as the plan sees it: by the slot or by an exchange on the hook, and what that costs each driver."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List

import pytest

from wirespeed.desire import attachment
from wirespeed.model.desired import Desired, DesiredPipeline, OperationRule
from wirespeed.model.intent import Attach
from wirespeed.model.nic import XdpAttachment, XdpMode
from wirespeed.model.node import InstanceFacts, RootFacts
from wirespeed.model.step import Action, Disruption, Plan
from wirespeed.plan.planner import plan

from .plan_cases import OURS, RULES, SETTLE, desired_nic, nic, node, profile

LIVE = InstanceFacts("scrubber", "g1", "d1", 9, True)
FREE = {**RULES, "swap": OperationRule(Disruption.NONE, Disruption.NONE, "a pointer is exchanged")}
DEAR = {**RULES, "swap": OperationRule(Disruption.BOUNCE, Disruption.BOUNCE, "closes and opens the NIC")}


def planned(
    carries: XdpAttachment, root: RootFacts, wanted: RootFacts, generation: str = "g2", rules: Any = None, **asked: Any
) -> Plan:
    pipeline = DesiredPipeline(
        "scrubber", generation, "d2", {}, "scrubber 2", wanted, fixtures=3, watch=asked.pop("watch", 0)
    )
    there = replace(node(nic(carries), instances=(LIVE,)), roots=(root,))
    chosen = desired_nic(profile({}, operations=rules or FREE), **asked)
    return plan(there, Desired((chosen,), (pipeline,)), SETTLE)


def words(steps: Plan) -> List[str]:
    return [f"{step.target} {step.action}" for step in steps.steps]


ROOTED, DIRECT = RootFacts("scrubber", 7), RootFacts("scrubber", 9, direct=True)


def test_new_code_behind_a_root_enters_no_driver() -> None:
    found = planned(replace(OURS, runs="root"), ROOTED, ROOTED, rules=DEAR, max_disruption=Disruption.NONE)
    assert words(found) == ["scrubber test", "scrubber load", "scrubber publish"] and not found.refusals


def test_new_code_without_a_root_is_a_swap_at_the_drivers_cost() -> None:
    found = planned(replace(OURS, runs="g1"), DIRECT, DIRECT, rules=DEAR)
    assert words(found)[2:] == ["scrubber publish", "eth1 swap", "scrubber carry"]
    swap = found.steps[-2]
    assert (swap.before["runs"], swap.after["runs"], swap.disruption) == ("g1", "g2", Disruption.BOUNCE)
    assert "closes and opens the NIC" in swap.why


def test_a_swap_that_costs_more_than_allowed_is_refused() -> None:
    found = planned(replace(OURS, runs="g1"), DIRECT, DIRECT, rules=DEAR, max_disruption=Disruption.PAUSE)
    assert "swap costs bounce" in str(found.refusals[0])


def test_a_swap_in_generic_mode_never_enters_the_driver() -> None:
    carries = replace(OURS, runs="g1", mode=XdpMode.GENERIC)
    found = planned(carries, DIRECT, DIRECT, rules=DEAR, mode=XdpMode.GENERIC)
    assert found.steps[-2].action is Action.SWAP and found.steps[-2].disruption is Disruption.NONE


def test_another_root_has_the_code_in_its_slot_before_a_nic_carries_it() -> None:
    found = planned(replace(OURS, runs="root"), ROOTED, replace(ROOTED, frags=True))
    assert words(found) == ["scrubber test", "scrubber load", "scrubber root", "eth1 swap", "scrubber carry"]
    assert found.steps[2].after == {"attach": "root", "frags": True, "empty_slot": "pass", "generation": "g2"}
    assert found.steps[3].before["runs"] == "former root"


def test_a_nic_that_a_killed_run_left_on_the_former_root_is_swapped() -> None:
    found = planned(replace(OURS, runs="former root"), ROOTED, ROOTED, generation="g1")
    assert words(found) == ["eth1 swap"]


@pytest.mark.parametrize("wanted", [ROOTED, DIRECT])
def test_the_health_gate_is_closed_once_every_nic_runs_the_new_code(wanted: RootFacts) -> None:
    carries = replace(OURS, runs="g1" if wanted.direct else "root")
    found = planned(carries, wanted, wanted, watch=2.0)
    watches = [step.resource for step in found.steps if step.action is Action.WATCH]
    assert watches == ["before", "health"]
    assert words(found)[-1] == "scrubber watch" and words(found)[2] == "scrubber watch"


def test_the_first_publish_has_nothing_to_be_compared_with() -> None:
    pipeline = DesiredPipeline("scrubber", "g2", "d2", {}, "scrubber 2", ROOTED, watch=2.0)
    found = plan(node(nic(), instances=()), Desired((desired_nic(profile({})),), (pipeline,)), SETTLE)
    assert Action.WATCH not in [step.action for step in found.steps]


FOREIGN = XdpAttachment(XdpMode.NATIVE, prog_id=40, prog_name="other", fits="xdp")


def adopting(foreign: XdpAttachment, *roots: RootFacts, **asked: Any) -> Plan:
    there = replace(node(nic(foreign), instances=(LIVE,) if roots else ()), roots=roots)
    pipeline = DesiredPipeline("scrubber", "g2", "d2", {}, "scrubber 2", ROOTED)
    wanted = desired_nic(profile({}, operations=asked.pop("rules", FREE)), adopt=True, **asked)
    return plan(there, Desired((wanted,), (pipeline,)), SETTLE)


def test_an_adopted_program_first_runs_on_behind_a_root() -> None:
    found = adopting(FOREIGN)
    assert words(found) == ["eth1 adopt", "scrubber root", "eth1 swap", "scrubber load", "scrubber publish"]
    assert "netlink replace" in found.steps[2].why
    assert found.steps[4].before["generation"] == found.steps[0].after["generation"]


def test_a_program_that_takes_no_slot_is_exchanged_for_the_pipeline_and_that_is_told() -> None:
    found = adopting(replace(FOREIGN, fits="it is extended by another one"))
    assert words(found) == ["eth1 adopt", "scrubber load", "scrubber publish", "eth1 swap"]
    assert "not handed over: it is extended by another one" in " ".join(found.warnings)


def test_a_second_nics_program_does_not_replace_what_the_pipeline_runs() -> None:
    found = adopting(FOREIGN, ROOTED)
    assert words(found) == ["eth1 adopt", "scrubber load", "scrubber publish", "eth1 swap"]


def test_adopting_in_another_mode_is_refused() -> None:
    assert "which Wirespeed did not attach" in str(adopting(FOREIGN, mode=XdpMode.GENERIC).refusals[0])


def test_adopting_costs_what_a_swap_costs() -> None:
    assert "swap costs bounce" in str(adopting(FOREIGN, rules=DEAR, max_disruption=Disruption.NONE).refusals[0])


def chosen(*rules: Any) -> Any:
    nics = [replace(desired_nic(profile({}, operations=each)), nic=f"eth{i}") for i, each in enumerate(rules)]
    return attachment(Attach.AUTO, nics)


def test_auto_takes_the_slot_as_soon_as_one_driver_is_dear() -> None:
    direct, why = chosen(FREE, DEAR)
    assert not direct and "eth1 bounce" in why and "eth0" not in why
    assert chosen(FREE, FREE)[0]


def test_a_cost_that_no_profile_states_counts_as_dear() -> None:
    assert not chosen(RULES)[0]
