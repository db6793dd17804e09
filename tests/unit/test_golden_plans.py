# SPDX-License-Identifier: GPL-3.0-or-later
"""The plans of all 20 drivers, held against plans that were written by hand from the drivers' source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wirespeed.model.settings import Setting
from wirespeed.model.step import Disruption
from wirespeed.profiles.load import BUILT_IN

from . import golden_cases
from .golden_cases import GOLDEN, Case, told

DRIVERS = sorted(path.stem for path in BUILT_IN.glob("*.yml") if path.stem != "generic")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_has_at_least_six_golden_plans(driver: str) -> None:
    assert len([name for name in golden_cases.names() if name.startswith(f"{driver}/")]) >= 6


def test_no_golden_plan_is_for_a_driver_without_a_profile() -> None:
    assert sorted(path.name for path in GOLDEN.iterdir()) == DRIVERS


@pytest.mark.parametrize("name", golden_cases.names())
def test_the_plan_is_the_golden_one(name: str) -> None:
    case = Case(name)
    assert [told(step) for step in case.planned().steps] == case.expected()


@pytest.mark.parametrize("name", golden_cases.names())
def test_the_refusals_are_the_golden_ones(name: str) -> None:
    case = Case(name)
    refusals = case.planned().refusals
    expected = case.written.get("refused", {})
    assert sorted(refusal.resource for refusal in refusals) == sorted(expected)
    assert all(expected[refusal.resource] in f"{refusal.reason} {refusal.remedy}" for refusal in refusals)


@pytest.mark.parametrize("name", golden_cases.names())
def test_the_user_is_told(name: str) -> None:
    case = Case(name)
    warnings = " | ".join(case.planned().warnings)
    assert [part for part in case.written.get("told", ()) if part not in warnings] == []


@pytest.mark.parametrize("name", golden_cases.names())
def test_after_the_plan_nothing_is_left_to_do(name: str) -> None:
    case = Case(name)
    planned = case.planned()
    if not planned.refusals:
        assert [told(step) for step in case.planned(case.after(planned.steps)).steps] == []


@pytest.mark.parametrize("name", golden_cases.names())
def test_the_plan_costs_no_more_than_it_may(name: str) -> None:
    planned = Case(name).planned()
    limit = Case(name).intent.max_disruption
    assert planned.refusals or all(not step.disruption.exceeds(limit) for step in planned.steps)
    assert limit in list(Disruption)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_nic_that_does_not_tell_one_setting_is_planned_all_the_same(driver: str) -> None:
    case = Case(f"{driver}/tuned")
    for untold in case.nic.settings:
        known = {setting: facts for setting, facts in case.nic.settings.items() if setting is not untold}
        planned = case.planned(replace(case.nic, settings=known))
        assert untold.value not in [step.resource for step in planned.steps]


def test_a_condition_that_cannot_be_judged_is_told() -> None:
    case = Case("ena/tuned")
    known = {setting: facts for setting, facts in case.nic.settings.items() if setting is not Setting.CHANNELS}
    told_of = [each for each in case.planned(replace(case.nic, settings=known)).warnings if "half_channels" in each]
    assert len(told_of) == 1 and "ena tells no channels here" in told_of[0]
