# SPDX-License-Identifier: GPL-3.0-or-later
"""When another manager's value is told in a plan, and when it is of no concern."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

import pytest

from wirespeed import report
from wirespeed.model.claim import Claim
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.model.step import Plan

from .plan_cases import RULES, nic, planned, profile

RINGS = {Setting.RINGS: {"rx": 4096}}
FILE = "/etc/tuned/fast/tuned.conf"


def claim(value: Optional[Any], setting: Setting = Setting.RINGS, key: str = "rx", **changes: Any) -> Claim:
    return replace(Claim("tuned", FILE, 12, "[net] ring", setting, key, value), **changes)


def planned_with(*claims: Claim, tuning: Any = RINGS, **changes: Any) -> Plan:
    return planned(nic(claims=claims, **changes), profile(tuning, order=(*ORDER,)), pipeline=None)


ORDER = ("features", "mtu", "channels", "rings", "rss", "coalesce", "attach", "irqbalance", "irq_affinity")
for each in ("coalesce", "irqbalance", "irq_affinity"):
    RULES.setdefault(each, RULES["mtu"])


def test_another_value_is_a_warning_with_its_file() -> None:
    assert planned_with(claim(1024)).warnings[-1] == (
        f"eth1: rings.rx: tuned sets 1024 ({FILE}:12, [net] ring), Wirespeed 4096: both will win in turn. "
        "Remove it there, or leave rings.rx out here."
    )


def test_it_is_told_also_where_the_nic_is_right_at_the_moment() -> None:
    right = {**nic().settings, Setting.RINGS: SettingFacts({"rx": 4096, "tx": 256})}
    plan = planned_with(claim(1024), settings=right)
    assert plan.empty and [str(each) for each in plan.conflicts] == [plan.warnings[-1]]


@pytest.mark.parametrize(
    "harmless",
    [claim(4096), claim(1024, key="tx"), claim(1400, Setting.MTU, "mtu"), claim(1024, active=False)],
    ids=["equal", "key left alone", "setting left alone", "not active"],
)
def test_no_warning(harmless: Claim) -> None:
    assert planned_with(harmless).conflicts == ()


def test_a_value_that_cannot_be_told_is_against_every_value() -> None:
    (conflict,) = planned_with(claim(None)).conflicts
    assert "tuned decides it by itself" in str(conflict)


def test_moderation_is_against_a_fixed_time_that_is_wanted() -> None:
    coalesce = SettingFacts({"adaptive-rx": False, "rx-usecs": 3})
    facts = {**nic().settings, Setting.COALESCE: coalesce}
    adaptive = claim(True, Setting.COALESCE, "adaptive-rx")
    (conflict,) = planned_with(adaptive, tuning={Setting.COALESCE: {"rx-usecs": 50}}, settings=facts).conflicts
    assert conflict.path == "eth1.coalesce.adaptive-rx" and conflict.want is False
    assert planned_with(adaptive, tuning={Setting.COALESCE: {"tx-usecs": 50}}, settings=facts).conflicts == ()


def test_moderation_that_this_nic_does_not_have_is_no_warning() -> None:
    facts = {**nic().settings, Setting.COALESCE: SettingFacts({"rx-usecs": 3})}
    adaptive = claim(True, Setting.COALESCE, "adaptive-rx")
    assert planned_with(adaptive, tuning={Setting.COALESCE: {"rx-usecs": 50}}, settings=facts).conflicts == ()


@pytest.mark.parametrize(("keeps_off", "conflicts"), [(False, 1), (True, 0)])
def test_irqbalance_that_keeps_off_is_no_warning(keeps_off: bool, conflicts: int) -> None:
    facts = {
        **nic().settings,
        Setting.IRQ_AFFINITY: SettingFacts({"cpus": "0 1"}),
        Setting.IRQBALANCE: SettingFacts({"keeps-off": keeps_off}),
    }
    runs = claim(None, Setting.IRQ_AFFINITY, "cpus", manager="irqbalance")
    plan = planned_with(runs, tuning={Setting.IRQ_AFFINITY: {"cpus": "spread"}}, settings=facts)
    assert len(plan.conflicts) == conflicts


def test_a_deviation_tells_who_else_sets_its_value() -> None:
    rings, *dummy = report.deviations(planned_with(claim(1024)))
    assert rings["path"] == "eth1.rings.rx" and rings["also"] == [f"tuned sets 1024 ({FILE}:12, [net] ring)"]


def test_a_deviation_that_nobody_else_causes_tells_nothing() -> None:
    assert all("also" not in each for each in report.deviations(planned_with()))
