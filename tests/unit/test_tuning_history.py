# SPDX-License-Identifier: GPL-3.0-or-later
"""Which runs are another version of a node's tuning, and what it takes to go back to one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

import pytest

from wirespeed import stored as states
from wirespeed import tuning_history
from wirespeed.errors import WirespeedError
from wirespeed.model.step import Action, Step
from wirespeed.model.stored import Stored, StoredNic
from wirespeed.model.tuning_history import NicBefore, TuningHistory, changed, touched, uncovered
from wirespeed.pipeline.pins import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "bpffs", tmp_path / "run", tmp_path / "state")


def asked(rx: Optional[int], profiles: str = "p", pipeline: str = "") -> Stored:
    tuning = {"tuning": {"rings": {"rx": rx}}} if rx else {"profile_tuning": False}
    hook = {"pipeline": pipeline} if pipeline else {}
    return Stored((StoredNic({"driver": "igb", **tuning, **hook}, ("eth1",), profiles),))


def rings(before: int, after: int, key: str = "rx") -> Step:
    return Step("eth1", Action.SET, "rings", {key: before}, {key: after}, "why", "intent")


def test_another_tuning_that_is_asked_for_is_a_change() -> None:
    found = changed(asked(256), asked(512), [rings(256, 512)])
    assert found["eth1"].values == {"rings": {"rx": 256}}
    assert found["eth1"].entry == {"name": "eth1", "tuning": {"rings": {"rx": 256}}}


def test_repairing_drift_is_none() -> None:
    assert changed(asked(512), asked(512), [rings(256, 512)]) == {}


def test_other_code_on_the_hook_is_none() -> None:
    assert changed(asked(512), asked(512, pipeline="edge"), []) == {}


@pytest.mark.parametrize(("steps", "expected"), [([rings(256, 512)], ["eth1"]), ([], [])])
def test_other_profiles_are_a_change_where_they_change_a_value(steps: Any, expected: Any) -> None:
    assert list(changed(asked(512, "p"), asked(512, "q"), steps)) == expected


def test_the_first_run_has_nothing_asked_before_it() -> None:
    assert changed(Stored(), asked(512), [rings(256, 512)])["eth1"].entry is None


def test_what_was_read_before_the_first_of_several_writes_counts() -> None:
    assert touched(Stored(), [rings(256, 512), rings(512, 1024)])["eth1"].values == {"rings": {"rx": 256}}


def history(*values: int) -> TuningHistory:
    """``rx`` before each change."""
    made = TuningHistory()
    for number in values:
        made = made.noted({"eth1": NicBefore(None, "", {"rings": {"rx": number}})}, 1.0)
    return made


def test_going_back_over_several_changes_takes_the_oldest_value_of_each_key() -> None:
    other = NicBefore({"name": "eth1"}, "p", {"rings": {"tx": 7}})
    found = history(1, 2).noted({"eth1": other}, 1.0).since(1)["eth1"]
    assert found.values == {"rings": {"rx": 2, "tx": 7}} and found.entry is None


def test_the_previous_version_is_not_what_was_before_a_rollback() -> None:
    made = history(1, 2)
    assert (made.version, made.previous) == (2, 1)
    assert made.noted({"eth1": NicBefore()}, 1.0, rollback_to=1).previous is None
    assert TuningHistory().previous is None


def test_a_history_reads_back_as_it_was_written(paths: Paths) -> None:
    tuning_history.write(paths, history(1, 2))
    assert tuning_history.read(paths) == history(1, 2)


def test_only_the_last_changes_are_kept() -> None:
    made = history(*range(15))
    assert list(made.known) == list(range(5, 15)) and made.version == 15


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 9}', '{"format": 1, "changes": [{}]}'])
def test_a_damaged_history_says_what_to_do(paths: Paths, text: str) -> None:
    tuning_history.path(paths).parent.mkdir(parents=True)
    tuning_history.path(paths).write_text(text)
    with pytest.raises(WirespeedError, match=r"Remove .*tuning\.json"):
        tuning_history.read(paths)


def test_what_nothing_asks_for_gets_its_old_value_and_the_rest_is_left_to_what_asks() -> None:
    values = {"rings": {"rx": 1, "tx": 2}, "mtu": {"mtu": 1500}}
    assert uncovered(values, {"rings": ["rx"], "mtu": ["mtu"]}) == {"rings": {"tx": 2}}


BUNDLE = {"profiles": {"format": 1, "documents": []}, "pipelines": []}


def test_profiles_that_a_version_needs_stay_on_the_node(paths: Paths) -> None:
    first, second = [{"name": "eth1", "tuning": {"rings": {"rx": rx}}} for rx in (256, 512)]
    states.keep(paths, {"nics": [first]}, BUNDLE, [["eth1"]], [rings(128, 256)])
    others = {"profiles": {"format": 1, "documents": [{"other": True}]}, "pipelines": []}
    states.keep(paths, {"nics": [second]}, others, [["eth1"]], [rings(256, 512)])
    before = tuning_history.read(paths).since(1)["eth1"]
    assert json.loads(states.part(paths, before.profiles)) == BUNDLE["profiles"]


def test_the_next_boot_asks_for_what_was_gone_back_to_and_keeps_the_hook(paths: Paths) -> None:
    nic = {"name": "eth1", "pipeline": "edge", "tuning": {"rings": {"rx": 512}}}
    states.keep(paths, {"nics": [nic]}, BUNDLE, [["eth1"]], [rings(256, 512)])
    states.put_back(paths, {"eth1": (None, "")}, {"eth1": NicBefore(values={"rings": {"rx": 512}})}, 0, 1.0)
    stored = states.read(paths)
    assert stored is not None and [each.entry for each in stored.nics] == [
        {"name": "eth1", "pipeline": "edge", "profile_tuning": False}
    ]


def test_going_back_to_where_it_is_already_is_no_version(paths: Paths) -> None:
    states.keep(paths, {"nics": [{"name": "eth1", "tuning": {"rings": {"rx": 512}}}]}, BUNDLE, [["eth1"]])
    stored = states.read(paths)
    assert stored is not None
    version = tuning_history.read(paths).version
    same = {"eth1": (dict(stored.nics[0].entry), stored.nics[0].profiles)}
    states.put_back(paths, same, {"eth1": NicBefore()}, 1, 1.0)
    assert tuning_history.read(paths).version == version
