# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for captured nodes, and what NICs have in the shape of an intent: for the NICs of the golden plans."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest

from wirespeed import config_option, gathered, offline
from wirespeed.bundle import Bundle
from wirespeed.config_option import PLACE
from wirespeed.errors import BadInput, OutOfRange
from wirespeed.model.facts import dump
from wirespeed.model.node import Node
from wirespeed.model.settings import Setting

from . import golden_cases
from .golden_cases import Case, told
from .profile_cases import built_in

TRIED = ("fresh", "tuned", "attached", "kernel_6_1", "lro_masked", "gro_masked", "context_given_up",
         "rules_lifted_for_channels", "rules_and_contexts", "queue_coalesce_first")  # fmt: skip
CASES = [name for name in golden_cases.names() if name.split("/")[1] in TRIED]


def captured(name: str, folder: Path) -> Node:
    """The case's node, by way of a file."""
    case = Case(name)
    path = folder / "facts.json"
    path.write_text(json.dumps(dump(case.node(case.nic))), encoding="utf-8")
    return offline.read_facts(str(path))


def rendered(node: Node, *config: Dict[str, Any], merge: bool = True) -> Dict[str, Any]:
    intent = config_option.parse([{"name": "eth1", **entry} for entry in config], merge)
    return offline.render(intent, Bundle(built_in(), {}), node, PLACE)


def texts(result: Dict[str, Any]) -> List[str]:
    return [step["text"] for step in result["steps"]]


def gathered_of(node: Node) -> List[Dict[str, Any]]:
    return gathered.gathered(node, built_in(), node.nics.values())


@pytest.mark.parametrize("name", ["ice/fresh", "mlx5_core/fresh", "ice/rings_drifted_while_attached"])
def test_replaced_plans_what_a_run_on_the_host_would(name: str, tmp_path: Path) -> None:
    case = Case(name)
    on_host = [told(step) for step in case.planned().steps if step.action.value != "attach" or case.nic.xdp]
    steps = rendered(captured(name, tmp_path), {}, merge=False)["steps"]
    left_out = ("target", "why", "origin", "text")
    assert [{key: each for key, each in step.items() if key not in left_out} for step in steps] == on_host


@pytest.mark.parametrize(
    ("name", "tuning", "expected"),
    [
        ("ice/fresh", {"rings": {"rx": 4096}}, ["rings: rx 2048 -> 4096 [bounce]"]),
        ("mlx5_core/fresh", {"rings": {"rx": 5000}}, ["rings: rx 1024 -> 8192 [bounce]"]),
    ],
)
def test_merged_sets_what_is_named_and_no_tuning_of_the_profile(
    name: str, tuning: Dict[str, Any], expected: List[str], tmp_path: Path
) -> None:
    result = rendered(captured(name, tmp_path), {"tuning": tuning})
    assert [text.partition("set ")[2].partition(" - ")[0] for text in texts(result)] == expected
    assert result["refusals"] == [] and not result["changed"]
    assert result["diff"]["prepared"].startswith("1. eth1: set rings")


def test_a_limit_of_the_profile_holds_for_merged_too(tmp_path: Path) -> None:
    with pytest.raises(OutOfRange, match=r"eth1: tuning.rings.rx = 9000 is not possible here; allowed: .*8160"):
        rendered(captured("ice/fresh", tmp_path), {"tuning": {"rings": {"rx": 9000}}})


def test_what_is_read_only_on_demand_is_told_to_be_none_of_the_facts(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"eth1: tuning\.firmware.*: mlx5_core: it is read on the host only when"):
        rendered(captured("mlx5_core/fresh", tmp_path), {"tuning": {"firmware": {"NUM_OF_VFS": 8}}})


def test_a_condition_of_the_attached_program_is_a_refusal(tmp_path: Path) -> None:
    result = rendered(captured("ice/attached", tmp_path), {"tuning": {"mtu": {"mtu": 9000}}})
    (refusal,) = result["refusals"]
    assert refusal["target"] == "eth1" and refusal["remedy"] and refusal["reason"] in refusal["text"]


def test_what_a_foreign_program_stands_against_is_a_refusal() -> None:
    case = Case("virtio_net/attached")
    node = case.node(replace(case.nic, xdp=golden_cases.HOLDERS["foreign"]))
    other = not case.nic.settings[Setting.FEATURES].values["rx-gro-hw"]
    result = rendered(node, {"tuning": {"features": {"rx-gro-hw": other}}})
    assert "Wirespeed did not attach that program" in " ".join(each["text"] for each in result["refusals"])


def test_what_costs_more_than_allowed_is_a_refusal(tmp_path: Path) -> None:
    entry = {"tuning": {"rings": {"rx": 4096}}, "max_disruption": "pause"}
    (refusal,) = rendered(captured("ice/fresh", tmp_path), entry)["refusals"]
    assert "max_disruption is pause" in refusal["text"]


class TestWhatTheDriverWouldForget:
    """Merged changes the channels of a virtio_net whose RSS table the device then forgets."""

    def changed(self, witnessed: bool, **tuning: Any) -> List[str]:
        case = Case("virtio_net/tuned")
        nic = replace(case.nic, witness={Setting.RSS: case.nic.epoch} if witnessed else {})
        queues = nic.settings[Setting.CHANNELS].values["combined"]
        tuning = {"channels": {"combined": int(queues) // 2}, **tuning}
        return [step["resource"] for step in rendered(case.node(nic), {"tuning": tuning})["steps"]]

    def test_is_written_again_where_wirespeed_had_written_it(self) -> None:
        assert self.changed(witnessed=True)[-1] == "rss"

    def test_is_left_alone_where_nobody_knows_whether_it_holds(self) -> None:
        assert "rss" not in self.changed(witnessed=False)


@pytest.mark.parametrize("name", CASES)
def test_to_ask_for_what_was_gathered_changes_nothing(name: str) -> None:
    case = Case(name)
    node = case.node(case.nic)
    result = rendered(node, *gathered_of(node))
    assert texts(result) == [] and result["refusals"] == []


def test_gathered_is_data_that_yaml_can_write() -> None:
    case = Case("ice/tuned")
    (nic,) = gathered_of(case.node(case.nic))
    assert json.loads(json.dumps(nic)) == nic
    assert nic["tuning"]["rss"]["indirection"] == "equal" and nic["tuning"]["rings"]["rx"] == 4096


def test_what_all_queues_have_alike_is_gathered_once() -> None:
    case = Case("i40e/queue_coalesce_first")
    (nic,) = gathered_of(case.node(case.nic))
    assert "queue_coalesce" not in nic["tuning"] and nic["tuning"]["coalesce"]["tx-usecs"] == 50


def test_what_cannot_be_changed_is_not_gathered() -> None:
    case = Case("ice/fresh")
    (nic,) = gathered_of(case.node(case.nic))
    assert not case.nic.settings[Setting.FEATURES].fixed & set(nic["tuning"]["features"])


def test_what_reads_otherwise_under_the_program_is_not_gathered() -> None:
    case = Case("virtio_net/attached")
    channels = replace(case.nic.settings[Setting.CHANNELS], maxima={"combined": 64})
    roomy = replace(case.nic, settings={**case.nic.settings, Setting.CHANNELS: channels})
    (nic,) = gathered_of(case.node(roomy))
    assert "combined" not in nic["tuning"].get("channels", {})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ([{"name": "eth1", "redirect_to": ["eth2"]}], "config[0].redirect_to: is not for this module"),
        (
            [{"name": "eth1", "tunning": {}}],
            "wirespeed.xdp.nic: config[0].tunning: 'tunning' is not known here.",
        ),
        ([{"name": "eth1", "pipeline": "scrubber"}], "config[0].pipeline: is not for this module"),
        ([{"name": "eth1", "mode": "native"}], "config[0].mode: is not for this module"),
        ([{"name": "eth1", "driver": "ice"}], "config[0]: gives ['name', 'driver'] of name"),
        ({"name": "eth1"}, "config: is {'name': 'eth1'}, not a list."),
    ],
)
def test_a_mistake_in_config_is_told_by_that_name(config: Any, message: str) -> None:
    with pytest.raises(BadInput) as error:
        config_option.parse(config, merge=True)
    assert message in str(error.value)


def test_a_nic_that_is_not_among_the_facts_is_told_with_those_that_are(tmp_path: Path) -> None:
    with config_option.told_of_config(), pytest.raises(BadInput) as error:
        rendered(captured("ice/fresh", tmp_path), {"name": "eth7"})
    assert "'eth7' is not on this node. It has: eth1 (ice" in str(error.value)
    assert "These are captured facts of host" in str(error.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none.json: cannot be read: No such file"):
        offline.read_facts(str(tmp_path / "none.json"))


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="is not UTF-8 text"):
        offline.read_facts(str(tmp_path / "facts.json"))


def test_parsed_tells_only_of_the_nics_that_are_chosen(tmp_path: Path) -> None:
    case = Case("ice/fresh")
    node = case.node(case.nic)
    node = replace(node, nics={**node.nics, "eth2": replace(case.nic, name="eth2")})
    chosen = config_option.parse([{"name": "eth2"}], merge=True)
    assert [nic["name"] for nic in offline.parsed(chosen, built_in(), node, PLACE)] == ["eth2"]
    everyone = config_option.parse([], merge=True)
    assert [nic["name"] for nic in offline.parsed(everyone, built_in(), node, PLACE)] == ["eth1", "eth2"]
