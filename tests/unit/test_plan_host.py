# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the whole machine: set once, by whichever NIC asks first, and never two of them."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from wirespeed.model.desired import Desired, DesiredNic
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.model.step import Disruption, Plan
from wirespeed.plan.planner import plan

from .plan_cases import ORDER, SETTLE, nic, node, profile

NONE_SET = SettingFacts({"busy-poll": 0, "busy-read": 0, "rps-sock-flow-entries": 0})


def planned(*asked: Dict[str, Any]) -> Plan:
    """NICs eth1, eth2, ..., each of which asks for some values of the host."""
    names = [f"eth{number}" for number in range(1, len(asked) + 1)]
    nics = [nic(name=name, up=True, settings={Setting.HOST: NONE_SET}) for name in names]
    wanted = [
        DesiredNic(name, profile({Setting.HOST: values}, order=(*ORDER, "host")), None, None, Disruption.GAP)
        for name, values in zip(names, asked)
    ]
    return plan(node(*nics), Desired(tuple(wanted)), SETTLE)


def changes(result: Plan) -> List[Tuple[str, Any, Any]]:
    return [(step.target, step.before, step.after) for step in result.steps]


def test_two_nics_that_agree_make_one_step_on_the_first() -> None:
    result = planned({"busy-poll": 50}, {"busy-poll": 50})
    assert changes(result) == [("eth1", {"busy-poll": 0}, {"busy-poll": 50})]
    assert not result.refusals and not result.warnings


def test_second_nic_adds_only_what_the_first_did_not_ask_for() -> None:
    result = planned({"busy-poll": 50}, {"busy-poll": 50, "busy-read": 20})
    assert changes(result) == [
        ("eth1", {"busy-poll": 0}, {"busy-poll": 50}),
        ("eth2", {"busy-read": 0}, {"busy-read": 20}),
    ]


def test_two_nics_that_disagree_are_refused_with_both_origins() -> None:
    result = planned({"busy-poll": 50}, {"busy-poll": 0})
    (refusal,) = result.refusals
    assert (refusal.target, refusal.resource) == ("eth2", "host.busy-poll")
    assert "wants 0" in refusal.reason and "wants 50 for eth1" in refusal.reason and "testnic.yml:1" in refusal.reason


def test_nothing_is_planned_for_a_host_that_is_as_wanted() -> None:
    assert planned({"busy-poll": 0}, {"busy-read": 0}).empty
