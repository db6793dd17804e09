# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of a plan's steps, and what each is said to cost."""

from __future__ import annotations

from wirespeed.model.desired import OperationRule
from wirespeed.model.nic import XdpAttachment, XdpMode
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.model.step import Disruption

from .plan_cases import OURS, RULES, nic, planned, profile

TUNED = {Setting.RINGS: {"rx": 4096}, Setting.CHANNELS: {"combined": 4}}
REFUSES_CHANNELS = {
    **RULES,
    "channels": OperationRule(Disruption.NONE, None),
    "attach": OperationRule(Disruption.PAUSE, None),
}


def actions(plan):
    return [f"{step.action} {step.resource}" for step in plan.steps]


def test_a_tuned_and_attached_nic_needs_nothing():
    plan = planned(nic(OURS), profile({Setting.RINGS: {"rx": 256}}))
    assert plan.empty and not plan.refusals


def test_a_bare_nic_is_tuned_in_the_profiles_order_before_the_attach():
    plan = planned(nic(), profile(TUNED))
    assert actions(plan) == ["set channels", "set rings", "attach xdp"]


def test_only_the_keys_that_differ_are_written():
    plan = planned(nic(OURS), profile({Setting.RINGS: {"rx": 512, "tx": 256}}))
    assert plan.steps[0].before == {"rx": 256} and plan.steps[0].after == {"rx": 512}


def test_a_live_change_keeps_the_program():
    plan = planned(nic(OURS), profile(TUNED))
    assert actions(plan) == ["set channels", "set rings"]


def test_a_change_that_the_driver_refuses_under_xdp_is_put_into_a_gap():
    plan = planned(nic(OURS), profile(TUNED, operations=REFUSES_CHANNELS))
    assert actions(plan) == ["detach xdp", "set channels", "set rings", "attach xdp"]
    assert plan.steps[0].disruption is Disruption.GAP
    assert [step.because for step in plan.steps] == ["channels", None, None, "channels"]


def test_only_the_refused_setting_counts_as_drift():
    plan = planned(nic(OURS), profile({Setting.CHANNELS: {"combined": 4}}, operations=REFUSES_CHANNELS))
    assert [step.path for step in plan.drift] == ["eth1.channels"]


def test_a_gap_is_refused_with_its_reason_when_only_a_pause_is_allowed():
    plan = planned(nic(OURS), profile(TUNED, operations=REFUSES_CHANNELS), max_disruption=Disruption.PAUSE)
    assert any("refuses channels while a native program" in str(r) and "gap" in str(r) for r in plan.refusals)


def test_channel_counts_that_read_higher_under_xdp_are_no_drift():
    reads = {Setting.CHANNELS: {"combined": 4}}
    bare = {Setting.CHANNELS: SettingFacts({"combined": 4}, maxima={"combined": 4})}
    at = nic(OURS, settings={**nic().settings, **bare})
    assert planned(at, profile({Setting.CHANNELS: {"combined": 2}}, reads_attached=reads)).empty


def test_a_feature_that_xdp_only_masks_is_drift():
    masked = {Setting.FEATURES: SettingFacts({"rx-lro": False}, requested={"rx-lro": True})}
    plan = planned(nic(OURS, settings={**nic().settings, **masked}), profile({Setting.FEATURES: {"rx-lro": False}}))
    assert plan.steps[0].before == {"rx-lro": True} and plan.steps[0].after == {"rx-lro": False}


class TestForgetfulDriver:
    """RSS as on virtio_net: turned off in the device by attach, detach and channel changes."""

    RSS = {Setting.RSS: {"indirection": (0, 1, 0, 1)}}
    UNDONE = {Setting.RSS: ("attach", "detach", "channels")}

    def resolved(self, tuning=None, **changes):
        return profile({**self.RSS, **(tuning or {})}, undone_by=self.UNDONE, **changes)

    def test_rss_is_written_again_after_the_attach_although_it_reads_back(self):
        plan = planned(nic(), self.resolved())
        assert actions(plan) == ["attach xdp", "set rss"]
        assert plan.steps[1].because == "attach"

    def test_a_differing_table_is_written_once_and_after_the_attach(self):
        at = nic(settings={**nic().settings, Setting.RSS: SettingFacts({"indirection": (0, 0, 0, 0)})})
        plan = planned(at, self.resolved())
        assert actions(plan) == ["attach xdp", "set rss"]
        assert plan.steps[1].because is None

    def test_a_table_witnessed_in_this_epoch_is_trusted(self):
        at = nic(OURS)
        assert planned(nic(OURS, witness={Setting.RSS: at.epoch}), self.resolved()).empty

    def test_a_table_not_witnessed_since_a_foreign_reattach_is_written(self):
        old = nic(XdpAttachment(XdpMode.NATIVE, 7, "root", 2, "scrubber"))
        plan = planned(nic(OURS, witness={Setting.RSS: old.epoch}), self.resolved())
        assert actions(plan) == ["set rss"] and plan.steps[0].because is None

    def test_a_channel_change_on_a_bare_nic_is_followed_by_rss(self):
        plan = planned(nic(), self.resolved({Setting.CHANNELS: {"combined": 4}}), pipeline=None)
        assert actions(plan) == ["set channels", "set rss"]

    def test_generic_xdp_never_enters_the_driver_so_rss_stays(self):
        resolved = self.resolved(native=False, native_note="test")
        at = nic()
        plan = planned(nic(witness={Setting.RSS: at.epoch}), resolved)
        assert actions(plan) == ["attach xdp"]


class TestFewerQueues:
    """The kernel refuses channels that are too few for the indirection table."""

    WANT = {Setting.CHANNELS: {"combined": 1}, Setting.RSS: {"indirection": (0, 0, 0, 0)}}

    def test_the_table_shrinks_before_the_channels(self):
        plan = planned(nic(OURS), profile(self.WANT))
        assert actions(plan) == ["set rss", "set channels"]

    def test_a_forgetful_driver_gets_the_table_again_at_the_end(self):
        plan = planned(nic(), profile(self.WANT, undone_by={Setting.RSS: ("attach", "channels")}))
        assert actions(plan) == ["set rss", "set channels", "attach xdp", "set rss"]
        assert plan.steps[-1].before == plan.steps[-1].after

    def test_more_queues_come_before_a_wider_table(self):
        want = {Setting.CHANNELS: {"combined": 4}, Setting.RSS: {"indirection": (0, 1, 2, 3)}}
        assert actions(planned(nic(OURS), profile(want))) == ["set channels", "set rss"]
