# SPDX-License-Identifier: GPL-3.0-or-later
"""Firmware settings through the vendor's tool, by recorded tables and a stand-in that keeps a card's state."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict

import pytest

from wirespeed.errors import NotSupported, OutOfRange, ToolFailed
from wirespeed.kernel import firmware_tool, mstconfig
from wirespeed.kernel.firmware_tool import Parameter
from wirespeed.model.settings import Setting
from wirespeed.model.step import Action, Step
from wirespeed.nic import actuator, firmware
from wirespeed.nic.actuator import SettingActuator

from .firmware_card import ADDRESS, PORT, TOOLS, Card, card

__all__ = ["card"]


def recorded(name: str) -> Dict[str, Parameter]:
    return mstconfig.parse((TOOLS / name).read_text(encoding="utf-8"))


def step(before: Dict[str, Any], after: Dict[str, Any]) -> Step:
    return Step("eth1", Action.SET, "firmware", before, after, "a test", "here")


@pytest.fixture
def executed(card: Card, monkeypatch: pytest.MonkeyPatch) -> Card:
    monkeypatch.setattr(actuator.rtnetlink, "link_named", lambda _name: SimpleNamespace(port=PORT))
    return card


def test_the_documented_table_is_read_with_all_three_columns() -> None:
    assert recorded("connectx4lx_4.30.txt") == {
        "NUM_OF_VFS": Parameter(5, running=5, default=8),
        "SRIOV_EN": Parameter(True, running=True, default=True),
    }


def test_a_card_that_tells_the_next_boot_only_has_no_running_value() -> None:
    assert recorded("connectx3_4.30.txt")["NUM_OF_VFS"] == Parameter(16)
    assert recorded("connectx3_4.30.txt")["WOL_MAGIC_EN_P1"] == Parameter(False)


@pytest.mark.parametrize("form", ["4.21", "4.35"])
def test_what_is_read_is_what_the_next_reset_takes_up(card: Card, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setenv("WIRESPEED_FAKE_FORM", form)
    facts = firmware.read(PORT, ["CQE_COMPRESSION", "NUM_OF_VFS"])
    assert facts.values == {"CQE_COMPRESSION": "AGGRESSIVE", "NUM_OF_VFS": 5}
    assert facts.running == {"CQE_COMPRESSION": "BALANCED", "NUM_OF_VFS": 5}
    assert facts.defaults == {"CQE_COMPRESSION": "BALANCED", "NUM_OF_VFS": 8}
    assert facts.words == {"CQE_COMPRESSION": ("BALANCED", "AGGRESSIVE")}


def test_only_the_parameters_asked_for_are_read(card: Card) -> None:
    firmware.read(PORT, ["SRIOV_EN"])
    assert card.calls == [["-d", ADDRESS, "-e", "query", "SRIOV_EN"]]


def test_all_parameters_are_read_when_none_is_named(card: Card) -> None:
    assert {"SRIOV_EN", "LINK_TYPE_P1"} <= set(firmware.read(PORT, []).values)


def test_an_array_without_an_index_is_no_value(card: Card) -> None:
    assert "HOST_CHAINING_DESCRIPTORS" not in firmware.read(PORT, []).values


def test_a_parameter_that_newer_versions_mark_read_only_is_fixed(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIRESPEED_FAKE_FORM", "4.35")
    assert firmware.read(PORT, []).fixed == {"INTERNAL_CPU_MODEL"}


def test_a_parameter_that_the_card_lacks_hides_no_other(card: Card) -> None:
    assert firmware.read(PORT, ["NO_SUCH", "SRIOV_EN"]).values == {"SRIOV_EN": True}


def test_a_card_without_any_of_the_parameters_says_so(card: Card) -> None:
    with pytest.raises(NotSupported, match="has no parameter NO_SUCH"):
        firmware.read(PORT, ["NO_SUCH"])


def test_another_vendors_nic_costs_no_process(card: Card) -> None:
    card.driven_by("ice")
    with pytest.raises(NotSupported, match="firmware settings of ice"):
        firmware.read(PORT, ["SRIOV_EN"])
    assert card.calls == []


def test_a_missing_tool_is_named_with_its_package(card: Card, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotSupported, match="not installed; Debian has it in the package mstflint"):
        firmware.read(PORT, ["SRIOV_EN"])


def test_the_tools_own_words_are_in_the_error(card: Card) -> None:
    card.set(address="0000:99:00.0")
    with pytest.raises(ToolFailed, match=r"mstconfig -d .* ended with code 3: Failed to open the device\."):
        firmware.read(PORT, ["SRIOV_EN"])


def test_a_tool_that_hangs_is_stopped(card: Card, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hanging = tmp_path / "mstconfig"
    hanging.write_text("#!/bin/sh\nexec sleep 1000\n", encoding="utf-8")
    hanging.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(firmware_tool, "TIMEOUT_SECONDS", 0.05)
    with pytest.raises(ToolFailed, match="gave no answer"):
        firmware.read(PORT, ["SRIOV_EN"])


@pytest.mark.parametrize("key", ["--force", "-y", "A=1", "a b", "X[0..7]", ""])
def test_no_name_can_pass_for_an_option(card: Card, key: str) -> None:
    with pytest.raises(OutOfRange, match="a parameter's name"):
        firmware.read(PORT, [key])
    with pytest.raises(OutOfRange, match="a parameter's name"):
        firmware.write(PORT, {key: 1})
    assert card.calls == []


@pytest.mark.parametrize(
    ("want", "settled"),
    [({"SRIOV_EN": False}, False), ({"NUM_OF_VFS": 16}, 16), ({"LINK_TYPE_P1": "IB"}, "IB")],
)
def test_a_value_of_the_parameters_own_kind_is_taken(card: Card, want: Dict[str, Any], settled: Any) -> None:
    assert list(firmware.settle(firmware.read(PORT, list(want)), want, {}).values()) == [settled]


@pytest.mark.parametrize(
    ("want", "allowed"),
    [({"SRIOV_EN": 2}, "true or false"), ({"NUM_OF_VFS": -1}, "from 0"), ({"LINK_TYPE_P1": "FC"}, "IB, ETH")],
)
def test_another_value_is_refused_with_what_is_allowed(card: Card, want: Dict[str, Any], allowed: str) -> None:
    with pytest.raises(OutOfRange, match=allowed):
        firmware.settle(firmware.read(PORT, list(want)), want, {})


def test_a_step_writes_all_its_parameters_in_one_call(executed: Card) -> None:
    SettingActuator().apply(step({"SRIOV_EN": True, "NUM_OF_VFS": 5}, {"SRIOV_EN": False, "NUM_OF_VFS": 0}))
    writes = [call for call in executed.calls if "set" in call]
    assert writes == [["-d", ADDRESS, "-y", "set", "SRIOV_EN=0", "NUM_OF_VFS=0"]]
    assert (executed.next("SRIOV_EN"), executed.next("NUM_OF_VFS")) == (0, 0)


def test_a_step_already_done_writes_nothing(executed: Card) -> None:
    SettingActuator().apply(step({"NUM_OF_VFS": 8}, {"NUM_OF_VFS": 5}))
    assert [call for call in executed.calls if "set" in call] == []


def test_a_written_step_reads_back_and_its_undo_restores_the_next_boot(executed: Card) -> None:
    done = step({"LINK_TYPE_P1": "ETH"}, {"LINK_TYPE_P1": "IB"})
    SettingActuator().apply(done)
    assert SettingActuator().deviation(done) == ""
    SettingActuator().apply(done.inverted())
    assert executed.next("LINK_TYPE_P1") == "2"


def test_what_the_card_refuses_is_told_in_its_words(executed: Card) -> None:
    executed.set(refuses="Failed to set configurations: Bad parameter value.")
    with pytest.raises(ToolFailed, match="Bad parameter value"):
        SettingActuator().apply(step({"NUM_OF_VFS": 5}, {"NUM_OF_VFS": 6}))


def test_a_room_has_a_tool_for_nvidias_drivers_alone() -> None:
    assert set(firmware.TOOLS) == {"mlx5_core", "mlx4_en"}
    assert Setting.FIRMWARE.value == "firmware"
