# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that come after the attach, that the attach undoes, or that the driver moves by itself."""

from __future__ import annotations

from typing import Any, List

from wirespeed.model.desired import OperationRule
from wirespeed.model.nic import Nic
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.model.step import Disruption, Plan

from .plan_cases import OURS, RULES, nic, planned, profile

ORDER = ("private_flags", "channels", "rings", "rss", "coalesce", "attach", "irq_affinity", "xps")
FREE = OperationRule(Disruption.NONE, Disruption.NONE)
COSTS = {**RULES, "irq_affinity": FREE, "xps": FREE, "coalesce": FREE, "attach": OperationRule(Disruption.BOUNCE, None)}
SPREAD = {Setting.IRQ_AFFINITY: {"cpus": "spread"}}


def actions(plan: Plan) -> List[str]:
    return [f"{step.action} {step.resource}" for step in plan.steps]


def with_queues(xdp: Any = None, irq: str = "0-1 0-1", **more: SettingFacts) -> Nic:
    settings = {
        Setting.IRQ_AFFINITY: SettingFacts({"cpus": irq}),
        Setting.XPS: SettingFacts({"cpus": "none"}),
        **{Setting(name): facts for name, facts in more.items()},
    }
    return nic(xdp, settings={**nic().settings, **settings})


def resolved(tuning: Any, **changes: Any) -> Any:
    return profile(tuning, **{"order": ORDER, "operations": COSTS, **changes})


def test_interrupts_are_placed_after_the_attach() -> None:
    wanted = {Setting.CHANNELS: {"combined": 4}, Setting.XPS: {"cpus": "spread"}, **SPREAD}
    plan = planned(with_queues(), resolved(wanted))
    assert actions(plan) == ["set channels", "attach xdp", "set irq_affinity", "set xps"]


def test_interrupts_that_the_attach_will_scatter_are_placed_again_in_the_same_plan() -> None:
    undone = {Setting.IRQ_AFFINITY: ("channels", "attach")}
    plan = planned(with_queues(irq="spread"), resolved(SPREAD, undone_by=undone))
    assert actions(plan) == ["attach xdp", "set irq_affinity"]
    assert plan.steps[1].because == "attach" and plan.steps[1].before == plan.steps[1].after


def test_interrupts_are_written_once_although_the_attach_undoes_them() -> None:
    undone = {Setting.IRQ_AFFINITY: ("channels", "attach")}
    plan = planned(with_queues(), resolved({Setting.CHANNELS: {"combined": 4}, **SPREAD}, undone_by=undone))
    assert actions(plan) == ["set channels", "attach xdp", "set irq_affinity"]
    assert plan.steps[2].before == {"cpus": "0-1 0-1"} and plan.steps[2].because is None


def test_setting_that_reads_back_truly_needs_no_witness() -> None:
    undone = {Setting.IRQ_AFFINITY: ("channels", "attach")}
    assert planned(with_queues(OURS, "spread"), resolved(SPREAD, undone_by=undone)).empty


def test_live_nic_is_not_detached_for_a_setting_of_the_kernels_side() -> None:
    assert actions(planned(with_queues(OURS), resolved(SPREAD))) == ["set irq_affinity"]


class TestRefusedUnderAProgram:
    """A setting that the order has after the attach, on a driver that refuses it then."""

    WANT = {Setting.XPS: {"cpus": "spread"}}
    REFUSING = {**COSTS, "xps": OperationRule(Disruption.PAUSE, None)}

    def test_it_goes_before_the_attach(self) -> None:
        plan = planned(with_queues(), resolved(self.WANT, operations=self.REFUSING))
        assert actions(plan) == ["set xps", "attach xdp"]

    def test_on_a_live_nic_it_goes_into_a_gap_that_is_closed_again(self) -> None:
        plan = planned(with_queues(OURS), resolved({**self.WANT, **SPREAD}, operations=self.REFUSING))
        assert actions(plan) == ["detach xdp", "set xps", "attach xdp", "set irq_affinity"]
        assert plan.steps[0].because == plan.steps[2].because == "xps"


def test_gap_opens_before_the_first_refused_setting_in_the_order_that_is_run() -> None:
    """Fewer queues: the table goes before the channels, against the profile's order, and both are refused live."""
    refused = OperationRule(Disruption.PAUSE, None)
    want = {Setting.CHANNELS: {"combined": 1}, Setting.RSS: {"indirection": (0, 0, 0, 0)}}
    plan = planned(nic(OURS), resolved(want, operations={**COSTS, "channels": refused, "rss": refused}))
    assert actions(plan) == ["detach xdp", "set rss", "set channels", "attach xdp"]


def test_value_that_adaptive_moderation_left_by_chance_where_it_is_wanted_is_written() -> None:
    moving = SettingFacts({"adaptive-rx": True, "rx-usecs": 8}, floating=frozenset({"rx-usecs"}))
    want = {Setting.COALESCE: {"adaptive-rx": False, "rx-usecs": 8}}
    plan = planned(with_queues(OURS, coalesce=moving), resolved(want))
    assert plan.steps[0].before == {"adaptive-rx": True, "rx-usecs": 8}
    assert plan.steps[0].after == {"adaptive-rx": False, "rx-usecs": 8}
