# SPDX-License-Identifier: GPL-3.0-or-later
"""A setting that deletes the interface and makes a new one: what goes before, what comes again, what forbids it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List

import pytest

from wirespeed import report
from wirespeed.model.desired import OperationRule
from wirespeed.model.nic import Nic, XdpAttachment, XdpMode
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.model.step import Disruption, Plan, Step

from .plan_cases import OURS, RULES, nic, planned, profile

ORDER = ("devlink_permanent", "devlink_driverinit", "features", "mtu", "channels", "rings", "rss", "coalesce", "attach")
GAP = {"devlink_driverinit": OperationRule(Disruption.GAP, None)}
WANTED = {
    Setting.DEVLINK_DRIVERINIT: {"io_eq_size": 2048},
    Setting.RINGS: {"rx": 512, "tx": 256},
    Setting.CHANNELS: {"combined": 2},
}


def card(xdp: Any = None, **changes: Any) -> Nic:
    base = nic(xdp, device="pci/0000:01:00.0", up=True)
    added = {
        Setting.DEVLINK_DRIVERINIT: SettingFacts({"io_eq_size": 1024, "enable_roce": True}),
        Setting.DEVLINK_PERMANENT: SettingFacts({"layers": 9}),
        Setting.COALESCE: SettingFacts({"adaptive-rx": False, "adaptive-tx": True, "rx-usecs": 50, "tx-usecs": 8}),
    }
    return replace(base, settings={**base.settings, **added}, **changes)


def plan(at: Nic, tuning: Any = None, **changes: Any) -> Plan:
    return planned(at, profile(tuning or WANTED, order=ORDER, operations={**RULES, **GAP}), **changes)


def words(steps: Any) -> List[str]:
    return [step.resource if step.resource != "xdp" else step.action.value for step in steps]


def the_start(found: Plan) -> Step:
    (step,) = [step for step in found.steps if step.anew]
    return step


def test_what_is_wanted_comes_again_in_its_order_between_detach_and_attach() -> None:
    found = plan(card(OURS)).steps
    assert words(found) == ["detach", "devlink_driverinit", "channels", "rings", "attach"]
    assert [dict(step.after) for step in found[2:4]] == [{"combined": 2}, {"rx": 512, "tx": 256}]


def test_what_was_right_is_no_drift() -> None:
    found = report.deviations(plan(card(OURS)))
    assert [each["path"] for each in found] == ["eth1.devlink_driverinit.io_eq_size", "eth1.rings.rx"]


def test_without_such_a_change_nothing_is_written_again() -> None:
    found = plan(card(OURS), {Setting.RINGS: {"rx": 512, "tx": 256}}).steps
    assert [dict(step.after) for step in found] == [{"rx": 512}] and found[0].anew is None


def test_a_generic_program_goes_off_before_as_well() -> None:
    generic = XdpAttachment(XdpMode.GENERIC, 7, "root", link_id=3, pipeline="scrubber")
    found = plan(card(generic), mode=XdpMode.GENERIC).steps
    assert words(found)[:2] == ["detach", "devlink_driverinit"] and words(found)[-1] == "attach"
    assert found[-1].after["mode"] == "generic"


def test_a_program_of_somebody_else_is_not_dropped_unasked() -> None:
    foreign = XdpAttachment(XdpMode.GENERIC, 9, "other")
    (refusal,) = plan(card(foreign), pipeline=None).refusals
    assert refusal.resource == "devlink_driverinit" and "did not attach that program" in refusal.reason


def test_switches_come_with_what_they_decide_about() -> None:
    """A new interface has adaptive moderation on where that is the driver's default: rx-usecs would mean nothing."""
    found = plan(card(), {**WANTED, Setting.COALESCE: {"rx-usecs": 50}}).steps
    (coalesce,) = [step for step in found if step.resource == "coalesce"]
    assert dict(coalesce.after) == {"adaptive-rx": False, "adaptive-tx": True, "rx-usecs": 50}


def test_the_step_carries_what_its_undo_needs() -> None:
    step = the_start(plan(card(OURS)))
    assert step.anew == {
        "device": "pci/0000:01:00.0",
        "up": True,
        "settings": {"channels": {"combined": 2}, "rings": {"rx": 256, "tx": 256}},
    }
    assert Step.from_json(step.to_json()) == step


def test_the_undo_puts_the_settings_back_after_the_interface() -> None:
    undo = the_start(plan(card(OURS))).undoing()
    assert words(undo) == ["devlink_driverinit", "channels", "rings"]
    assert [dict(step.after) for step in undo] == [{"io_eq_size": 1024}, {"combined": 2}, {"rx": 256, "tx": 256}]
    assert undo[0].anew is not None and undo[1].anew is None


def test_other_steps_are_undone_by_their_inverse_alone() -> None:
    (step,) = plan(card(OURS), {Setting.RINGS: {"rx": 512}}).steps
    assert step.undoing() == (step.inverted(),) and "anew" not in step.to_json()


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({"upper": ("bond0",)}, "bond0 on top of it"),
        ({"addresses": ("192.0.2.1/24",)}, "192.0.2.1/24 and all routes over it"),
        ({"beside": ("eth2",)}, "eth2 of the same device (pci/0000:01:00.0)"),
    ],
)
def test_what_nobody_would_bring_back_forbids_it(there: Any, said: str) -> None:
    (refusal,) = plan(card(OURS, **there)).refusals
    assert said in refusal.reason and "io_eq_size" in refusal.remedy
    assert not plan(card(OURS, **there), {Setting.RINGS: {"rx": 512}}).refusals


def test_the_user_is_told_what_is_lost() -> None:
    assert any("makes the interface anew" in told for told in plan(card(OURS)).warnings)


def test_a_permanent_parameter_waits_for_a_reset() -> None:
    found = plan(card(), {Setting.DEVLINK_PERMANENT: {"layers": 5}})
    assert any("layers: in force only after the next reset" in told for told in found.warnings)
    assert "devlink_permanent" in words(found.steps) and all(step.anew is None for step in found.steps)


def test_one_that_was_written_since_the_boot_still_waits() -> None:
    """It reads back at once, so that nothing else tells."""
    written = card(OURS, witness={Setting.DEVLINK_PERMANENT: "bare; channels combined=2"})
    found = plan(written, {Setting.DEVLINK_PERMANENT: {"layers": 9}})
    assert found.empty and any("written since this machine started" in told for told in found.warnings)
    assert not plan(card(OURS), {Setting.DEVLINK_PERMANENT: {"layers": 9}}).warnings
