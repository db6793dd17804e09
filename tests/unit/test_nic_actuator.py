# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a step is written. The rooms are stand-ins that note their calls; tests/kernel has the real ones."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, List

import pytest

from wirespeed.kernel.port import Port
from wirespeed.model.settings import Setting, SettingFacts
from wirespeed.model.step import Action, Step
from wirespeed.nic import actuator, table
from wirespeed.nic.actuator import SettingActuator

FACTS = {
    Setting.RINGS: SettingFacts({"rx": 256, "tx": 512}),
    Setting.RSS: SettingFacts({"indirection": (0, 1, 0, 1)}),
    Setting.COALESCE: SettingFacts({"adaptive-rx": True, "rx-usecs": 37}, floating=frozenset({"rx-usecs"})),
    Setting.IRQ_AFFINITY: SettingFacts({"cpus": "0-1 0-1 0 1"}),
    Setting.FEATURES: SettingFacts({"rx-lro": False, "rx-gro": True}, requested={"rx-lro": True}),
}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> List[Any]:
    calls: List[Any] = []
    rooms = {
        setting: SimpleNamespace(read=lambda _port, f=facts: f, write=lambda _port, values: calls.append(values))
        for setting, facts in FACTS.items()
    }
    monkeypatch.setattr(table, "ROOMS", rooms)
    link = SimpleNamespace(port=Port("eth1", 7))
    monkeypatch.setattr(actuator.rtnetlink, "link_named", lambda _name: link)
    return calls


def step(setting: Setting, after: Dict[str, Any]) -> Step:
    return Step("eth1", Action.SET, setting.value, {}, after, "a test", "here")


def test_only_what_differs_is_written(written: List[Any]) -> None:
    SettingActuator().apply(step(Setting.RINGS, {"rx": 4096, "tx": 512}))
    assert written == [{"rx": 4096}]


def test_what_holds_already_is_not_written_because_some_drivers_reset_for_it(written: List[Any]) -> None:
    SettingActuator().apply(step(Setting.RINGS, {"rx": 256}))
    assert written == []


def test_rss_table_is_written_even_when_it_reads_right_because_virtio_forgets_it(written: List[Any]) -> None:
    SettingActuator().apply(step(Setting.RSS, {"indirection": [0, 1, 0, 1]}))
    assert written == [{"indirection": (0, 1, 0, 1)}]


def test_feature_that_is_off_but_requested_on_is_written(written: List[Any]) -> None:
    SettingActuator().apply(step(Setting.FEATURES, {"rx-lro": False, "rx-gro": True}))
    assert written == [{"rx-lro": False}]


def test_table_of_a_step_from_the_journal_is_compared_as_a_table(written: List[Any]) -> None:
    assert SettingActuator().deviation(step(Setting.RSS, {"indirection": [0, 1, 0, 1]})) == ""
    assert "not (1, 1, 1, 1)" in SettingActuator().deviation(step(Setting.RSS, {"indirection": [1, 1, 1, 1]}))


def test_what_the_driver_moves_by_itself_is_written_even_where_it_stands_right_by_chance(written: List[Any]) -> None:
    SettingActuator().apply(step(Setting.COALESCE, {"adaptive-rx": False, "rx-usecs": 37}))
    assert written == [{"adaptive-rx": False, "rx-usecs": 37}]


def test_what_the_driver_moves_by_itself_is_no_deviation(written: List[Any]) -> None:
    assert SettingActuator().deviation(step(Setting.COALESCE, {"adaptive-rx": True, "rx-usecs": 8})) == ""
    assert "adaptive-rx is True" in SettingActuator().deviation(step(Setting.COALESCE, {"adaptive-rx": False}))


def test_cpus_given_back_to_the_first_queues_are_enough_until_the_others_are_gone(written: List[Any]) -> None:
    assert SettingActuator().deviation(step(Setting.IRQ_AFFINITY, {"cpus": "0-1 0-1"})) == ""
    assert "cpus is" in SettingActuator().deviation(step(Setting.IRQ_AFFINITY, {"cpus": "0-1 1"}))
