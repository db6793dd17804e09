# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds the XDP hook, and in which mode it is taken."""

from __future__ import annotations

from wirespeed.model.desired import Constraint
from wirespeed.model.nic import XdpAttachment, XdpMode
from wirespeed.model.node import InstanceFacts
from wirespeed.model.settings import Setting
from wirespeed.model.step import Disruption

from .plan_cases import OURS, nic, planned, profile

FOREIGN = XdpAttachment(XdpMode.NATIVE, prog_id=40, prog_name="other", link_id=None, pipeline=None)
GENERIC_ONLY = {"native": False, "native_note": "no ndo_bpf in the driver"}


def test_a_foreign_program_is_named_and_never_overwritten():
    plan = planned(nic(FOREIGN), profile({}))
    assert plan.empty
    assert "program 40 (other, native mode, by netlink)" in str(plan.refusals[0])


def test_a_nic_without_a_pipeline_in_the_intent_keeps_the_foreign_program():
    plan = planned(nic(FOREIGN), profile({Setting.RINGS: {"rx": 512}}), pipeline=None)
    assert [step.resource for step in plan.steps] == ["rings"] and not plan.refusals


def test_auto_falls_back_to_generic_with_a_warning():
    plan = planned(nic(), profile({}, **GENERIC_ONLY))
    assert plan.steps[0].after["mode"] == "generic"
    assert plan.steps[0].disruption is Disruption.NONE
    assert any("no native XDP" in warning for warning in plan.warnings)


def test_native_on_a_driver_without_it_is_refused():
    plan = planned(nic(), profile({}, **GENERIC_ONLY), mode=XdpMode.NATIVE)
    assert "no ndo_bpf in the driver" in str(plan.refusals[0])


def test_a_dead_pinned_link_is_attached_again_and_says_why():
    plan = planned(nic(dead_link="scrubber"), profile({}))
    assert [str(step.action) for step in plan.steps] == ["attach"]
    assert "no longer holds the hook" in plan.steps[0].why


def test_another_mode_needs_a_detach_first():
    plan = planned(nic(OURS), profile({}), mode=XdpMode.GENERIC)
    assert [str(step.action) for step in plan.steps] == ["detach", "attach"]


def test_an_unmet_attach_condition_is_refused_with_cause_and_cure():
    unmet = Constraint("mtu", lambda names: False, "EINVAL", "MTU 9000 is more than XDP holds", "Set mtu: 1500.", "t:1")
    plan = planned(nic(), profile({}, constraints=(unmet,)))
    assert "MTU 9000" in str(plan.refusals[0]) and "Set mtu: 1500." in str(plan.refusals[0])


def test_an_unmet_condition_of_an_attached_nic_is_found_too():
    unmet = Constraint("mtu", lambda names: False, "EINVAL", "MTU 9000 is more than XDP holds", "Set mtu: 1500.", "t:1")
    assert planned(nic(OURS), profile({}, constraints=(unmet,))).refusals


def test_new_code_is_loaded_filled_and_published_before_any_nic_is_attached():
    plan = planned(nic(), profile({}), instances=())
    assert [str(step.action) for step in plan.steps] == ["load", "publish", "attach"]


def test_another_generation_is_swapped_without_touching_the_nic():
    plan = planned(nic(OURS), profile({}), instances=(InstanceFacts("scrubber", "g0", "d0", 9, True),))
    assert [str(step.action) for step in plan.steps] == ["load", "publish"]
    assert plan.steps[1].before == {"generation": "g0"} and plan.steps[1].disruption is Disruption.NONE
