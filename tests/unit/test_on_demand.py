# SPDX-License-Identifier: GPL-3.0-or-later
"""Firmware settings from the intent to the card and back: asked for only by name, planned, written, told, undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, List, Tuple

import pytest
import yaml

from wirespeed.errors import BadInput
from wirespeed.model.desired import Desired, DesiredNic
from wirespeed.model.intent import NicIntent
from wirespeed.model.nic import Nic
from wirespeed.model.node import Node
from wirespeed.model.settings import Setting
from wirespeed.model.step import Disruption, Plan, Step
from wirespeed.nic import actuator
from wirespeed.nic.actuator import SettingActuator
from wirespeed.nic.on_demand import with_asked
from wirespeed.nic.table import ROOMS, SETTLE
from wirespeed.plan.planner import plan
from wirespeed.profiles.asked import keys_asked
from wirespeed.profiles.document import ProfileSet
from wirespeed.profiles.load import BUILT_IN, load
from wirespeed.profiles.resolve import resolve

from .firmware_card import PORT, Card, card
from .golden_cases import Case
from .profile_cases import built_in

__all__ = ["card"]

SITE = {
    "profile": "ours",
    "match": {"driver": "mlx5_core"},
    "tuning": {"drop": {"firmware": {"NUM_OF_VFS": 8}}, "stack": {"firmware": {"SRIOV_EN": True}}},
}


@pytest.fixture(autouse=True)
def port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actuator.rtnetlink, "link_named", lambda _name: SimpleNamespace(port=PORT))


def machine() -> Tuple[Node, Nic]:
    case = Case("mlx5_core/tuned")
    return case.node(case.nic), case.nic


def asking(**parameters: Any) -> NicIntent:
    return NicIntent("name", "eth1", tuning={"firmware": parameters})


def observed(intent: NicIntent, profiles: ProfileSet) -> Node:
    node, nic = machine()
    return with_asked(node, {nic.name: keys_asked(profiles, nic, node, intent, [Setting.FIRMWARE])})


def planned(intent: NicIntent) -> Plan:
    node = observed(intent, built_in())
    profile = resolve(built_in(), node.nics["eth1"], node, intent)
    return plan(node, Desired((DesiredNic("eth1", profile, None, None, Disruption.NONE),)), SETTLE)


def firmware_steps(made: Plan) -> List[Step]:
    return [step for step in made.steps if step.resource == "firmware"]


def test_nothing_is_read_unless_somebody_names_a_parameter(card: Card) -> None:
    assert Setting.FIRMWARE not in ROOMS
    node = observed(NicIntent("name", "eth1"), built_in())
    assert Setting.FIRMWARE not in node.nics["eth1"].settings and card.calls == []


def test_what_the_intent_names_is_read(card: Card) -> None:
    node = observed(asking(SRIOV_EN=True), built_in())
    assert node.nics["eth1"].settings[Setting.FIRMWARE].values == {"SRIOV_EN": True}


def test_what_a_profile_names_for_the_workload_is_read(card: Card, tmp_path: Path) -> None:
    (tmp_path / "ours.yml").write_text(yaml.safe_dump(SITE), encoding="utf-8")
    node = observed(NicIntent("name", "eth1"), load([BUILT_IN, tmp_path]))
    assert node.nics["eth1"].settings[Setting.FIRMWARE].values == {"NUM_OF_VFS": 5}


def test_what_the_intent_takes_away_is_not_read(card: Card, tmp_path: Path) -> None:
    (tmp_path / "ours.yml").write_text(yaml.safe_dump(SITE), encoding="utf-8")
    observed(asking(NUM_OF_VFS=None), load([BUILT_IN, tmp_path]))
    assert card.calls == []


def test_a_change_is_planned_without_disruption_and_told_to_wait_for_a_reset(card: Card) -> None:
    made = planned(asking(NUM_OF_VFS=16))
    (step,) = firmware_steps(made)
    assert (step.before, step.after, step.disruption) == ({"NUM_OF_VFS": 5}, {"NUM_OF_VFS": 16}, Disruption.NONE)
    assert any("power cycle: NUM_OF_VFS 16 (now 5)" in warning for warning in made.warnings)


def test_what_is_written_is_not_planned_again_and_still_told_to_wait(card: Card) -> None:
    intent = asking(NUM_OF_VFS=16)
    for step in firmware_steps(planned(intent)):
        SettingActuator().apply(step)
        assert SettingActuator().deviation(step) == ""
    again = planned(intent)
    assert firmware_steps(again) == []
    assert any("NUM_OF_VFS 16 (now 5)" in warning for warning in again.warnings)


def test_an_undo_leaves_nothing_that_waits(card: Card) -> None:
    (step,) = firmware_steps(planned(asking(NUM_OF_VFS=16)))
    SettingActuator().apply(step)
    SettingActuator().apply(step.inverted())
    assert not any("power cycle" in warning for warning in planned(asking(NUM_OF_VFS=5)).warnings)


def test_no_call_ever_asks_for_a_reset(card: Card) -> None:
    for step in firmware_steps(planned(asking(NUM_OF_VFS=16, LINK_TYPE_P1="IB"))):
        SettingActuator().apply(step)
    commands = {word for call in card.calls for word in call if not word.startswith("-")}
    assert not {"reset", "r", "-yy"} & commands and "set" in commands


@pytest.mark.parametrize(
    ("driver", "reason"), [("igb", "a vendor's tool is known for mlx5_core, mlx4_en alone"), ("mlx5_core", "mstflint")]
)
def test_a_nic_that_cannot_says_why(
    card: Card, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, driver: str, reason: str
) -> None:
    card.driven_by(driver)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match=reason):
        planned(asking(SRIOV_EN=True))


def test_a_parameter_that_the_card_lacks_is_refused_by_name(card: Card) -> None:
    with pytest.raises(BadInput, match=r"firmware\.NO_SUCH: this card has no such parameter"):
        planned(asking(NO_SUCH=1, SRIOV_EN=True))


def test_expressions_tell_the_settings_from_the_version(card: Card, tmp_path: Path) -> None:
    text = "{{ nic.firmware }} {{ nic.firmware_settings.NUM_OF_VFS }}"
    site = {"profile": "ours", "match": "any", "findings": {"both": {"when": True, "text": text}}}
    (tmp_path / "ours.yml").write_text(yaml.safe_dump(site), encoding="utf-8")
    node = observed(asking(NUM_OF_VFS=5), built_in())
    nic = replace(node.nics["eth1"], firmware="16.35.3006")
    assert "16.35.3006 5" in resolve(load([BUILT_IN, tmp_path]), nic, node, asking(NUM_OF_VFS=5)).findings
