# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules pipeline and pipeline_info, in playbooks over ssh on a network namespace."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from tests import playbook
from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.pipelines import compiled
from tests.probes import requires

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool", "clang")

Told = Dict[str, Dict[str, Any]]  # the result of each task, by its name

OTHER = "ws1"
EDGE = """
WS_RODATA(__u32, wanted) = 2;
WS_MAP(BPF_MAP_TYPE_HASH, seen, __u32, __u32, 16, 0);
SEC("xdp") int edge(struct xdp_md *ctx) { return wanted; }
char _license[] SEC("license") = "GPL";
"""
MANIFEST = """
manifest: 1
name: edge
version: "1"
object: edge.bpf.o
entry: edge
maps: {seen: {role: state}}
"""


@pytest.fixture(scope="module")
def node() -> Iterator[NetnsNode]:
    """With a second pair, so that a pipeline can leave one NIC and stay on the other."""
    made = NetnsNode("pipeline")
    made.up(2)
    try:
        made.ssh(f"ip link add {OTHER} type veth peer name far1; ip link set {OTHER} up; ip link set far1 up")
        yield made
    finally:
        made.down()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A playbook's, with a pipeline of its own."""
    made = tmp_path_factory.mktemp("site")
    (made / "edge.bpf.o").write_bytes(compiled(EDGE))
    (made / "edge.pipeline.yml").write_text(MANIFEST)
    (made / "misspelt.pipeline.yml").write_text(MANIFEST + "emty_slot: drop\n")
    return made


def play(node: NetnsNode, folder: Path, tasks: List[Dict[str, Any]]) -> Told:
    (folder / "play.json").write_text(json.dumps([{"hosts": node.name, "gather_facts": False, "tasks": tasks}]))
    done = playbook.run(inventory([node]), str(folder / "play.json"), arguments=["--diff"])
    assert "Traceback" not in done.output, done.output
    return {line["task"]: {**line["result"], "outcome": line["outcome"]} for line in done.results if "task" in line}


def edge(task: str, *, check: bool = False, fails: bool = False, **options: Any) -> Dict[str, Any]:
    module = {"wirespeed.xdp.pipeline": {"name": "edge", **options}}
    return {"name": task, **module, "check_mode": check, "ignore_errors": fails, "register": task}


def info(task: str, **options: Any) -> Dict[str, Any]:
    return {"name": task, "wirespeed.xdp.pipeline_info": options, "register": task}


def actions(result: Dict[str, Any]) -> List[str]:
    return [f"{step['action']} {step['target']}" for step in result["steps"]]


def live(listed: Dict[str, Any]) -> str:
    (pipeline,) = listed["pipelines"]
    return next(str(each["generation"]) for each in pipeline["generations"] if each["published"])


def carriers(listed: Dict[str, Any]) -> List[str]:
    return [nic["name"] for each in listed["pipelines"] for nic in each["nics"]]


ATTACH: Dict[str, Any] = {"manifest": "edge.pipeline.yml", "nics": [INTERFACE, {"name": OTHER, "mode": "generic"}]}
RELOAD = {**ATTACH, "constants": {"wanted": 1}}
BACK = {"state": "rolled_back"}
FORWARD = {"state": "rolled_back", "generation": "{{ reloaded_info.pipelines[0].generations[0].generation }}"}
OFF = {"state": "detached"}
LIFE = [
    edge("attach_check", check=True, **ATTACH),
    info("before"),
    edge("attach", **ATTACH),
    edge("attach_again", **ATTACH),
    edge("back_to_nothing", **BACK),
    info("attached"),
    edge("reload_check", check=True, **RELOAD),
    edge("reload", **RELOAD),
    edge("reload_again", **RELOAD),
    info("reloaded_info", name="edge", maps=True, maps_seconds=0.1),
    info("another", name="scrubber", maps=True),
    edge("back_check", check=True, **BACK),
    info("still"),
    edge("back", **BACK),
    edge("back_again", **BACK),
    info("back_info"),
    edge("forward", **FORWARD),
    edge("forward_again", **FORWARD),
    info("forward_info"),
    edge("one_off", **OFF, nics=[OTHER]),
    info("one_left"),
    edge("off_check", check=True, **OFF),
    info("off_not_yet"),
    edge("off", **OFF),
    edge("off_again", **OFF),
    info("after"),
]


class TestLife:
    """One pipeline from nothing to nothing, in one play."""

    @pytest.fixture(scope="class")
    @classmethod
    def told(cls, node: NetnsNode, folder: Path) -> Told:
        return play(node, folder, LIFE)

    def test_attached_loads_and_attaches_and_tunes_nothing(self, told: Told) -> None:
        assert told["attach"]["changed"] and carriers(told["attached"]) == [INTERFACE, OTHER]
        assert actions(told["attach"])[0] == "load edge"
        assert actions(told["attach"])[-2:] == [f"attach {INTERFACE}", f"attach {OTHER}"]
        assert [step for step in actions(told["attach"]) if step.startswith("set")] == []

    def test_a_nics_own_mode_goes_before_the_others(self, told: Told) -> None:
        assert [step["after"]["mode"] for step in told["attach"]["steps"][-2:]] == ["native", "generic"]

    @pytest.mark.parametrize("task", ["attach", "reload", "back", "off"])
    def test_check_mode_predicts_the_steps_and_the_diff(self, told: Told, task: str) -> None:
        predicted = told[f"{task}_check"]
        assert predicted["changed"] and predicted["steps"] == told[task]["steps"]
        assert predicted["diff"] == told[task]["diff"] and predicted["diff"]["prepared"].startswith("1. ")

    def test_check_mode_changes_nothing(self, told: Told) -> None:
        assert told["before"]["pipelines"] == []
        assert live(told["still"]) == live(told["reloaded_info"])
        assert carriers(told["off_not_yet"]) == carriers(told["one_left"])

    @pytest.mark.parametrize("task", ["attach", "reload", "back", "forward", "off"])
    def test_a_second_run_changes_nothing(self, told: Told, task: str) -> None:
        again = told[f"{task}_again"]
        assert not again["changed"] and again["steps"] == []

    def test_other_constants_are_a_reload_that_no_driver_notices(self, told: Told) -> None:
        assert actions(told["reload"]) == ["load edge", "publish edge"]
        assert live(told["reloaded_info"]) != live(told["attached"])
        assert {step["disruption"] for step in told["reload"]["steps"]} == {"none"}

    def test_rolled_back_runs_what_ran_before(self, told: Told) -> None:
        assert told["back"]["changed"] and live(told["back_info"]) == live(told["attached"])

    def test_the_first_generation_has_none_to_go_back_to_which_is_no_failure(self, told: Told) -> None:
        assert not told["back_to_nothing"]["changed"]
        assert "there is none to go back to" in told["back_to_nothing"]["warnings"][0]

    def test_rolled_back_to_a_name_runs_that(self, told: Told) -> None:
        assert told["forward"]["changed"] and live(told["forward_info"]) == live(told["reloaded_info"])

    def test_info_tells_each_generation_and_never_changes(self, told: Told) -> None:
        assert not told["reloaded_info"]["changed"]
        (pipeline,) = told["reloaded_info"]["pipelines"]
        assert (pipeline["attach"], [nic["runs"] for nic in pipeline["nics"]]) == ("root", ["root", "root"])
        assert [(each["published"], each["previous"]) for each in pipeline["generations"]] == [
            (True, False),
            (False, True),
        ]

    def test_info_tells_how_full_the_maps_are_where_it_is_asked_to(self, told: Told) -> None:
        (found,) = told["reloaded_info"]["maps"]
        assert (found["name"], found["entries"], found["inserted_per_s"], found["level"]) == ("seen", 0, 0.0, "ok")
        assert "maps" not in told["attached"]

    def test_info_of_one_that_is_not_there_is_empty(self, told: Told) -> None:
        assert told["another"]["pipelines"] == told["another"]["maps"] == []

    def test_detached_from_one_nic_stays_on_the_other(self, told: Told) -> None:
        assert actions(told["one_off"]) == [f"detach {OTHER}"] and carriers(told["one_left"]) == [INTERFACE]

    def test_detached_leaves_nothing(self, told: Told, node: NetnsNode) -> None:
        assert told["after"]["pipelines"] == [] and told["after"]["orphans"] == []
        assert node.out("find /sys/fs/bpf -mindepth 1 ! -name '*.debug'") == ""
        assert "xdp" not in node.out(f"ip link show {INTERFACE}")


MISTAKES = {
    "manifest": {**ATTACH, "manifest": "misspelt.pipeline.yml"},
    "no_manifest": {**ATTACH, "manifest": "none.pipeline.yml"},
    "built_in": {"nics": [INTERFACE]},
    "name": {**ATTACH, "name": "edg"},
    "constant": {**ATTACH, "constants": {"wantd": 1}},
    "nic": {**ATTACH, "nics": ["eth77"]},
    "tuning": {**ATTACH, "nics": [{"name": INTERFACE, "tuning": {"mtu": {"mtu": 1400}}}]},
    "bundle": {**ATTACH, "bundle": "e30="},
    "generation": {"state": "rolled_back", "generation": "nope"},
    "gone": {"state": "detached", "nics": ["eth77"]},
}


class TestMistakes:
    @pytest.fixture(scope="class")
    @classmethod
    def told(cls, node: NetnsNode, folder: Path) -> Told:
        return play(node, folder, [edge(task, fails=True, **options) for task, options in MISTAKES.items()])

    @pytest.mark.parametrize(
        ("task", "parts"),
        [
            ("manifest", ["/misspelt.pipeline.yml:8: ", "Did you mean 'empty_slot'?"]),
            ("no_manifest", ["wirespeed.xdp.pipeline: manifest: 'none.pipeline.yml' is not on the control node."]),
            ("built_in", ["wirespeed.xdp.pipeline: manifest: there is no pipeline 'edge'", "scrubber"]),
            ("name", ["wirespeed.xdp.pipeline: name: is 'edg', but the manifest calls the pipeline 'edge'."]),
            ("constant", ["wantd", "Did you mean 'wanted'?"]),
            ("nic", ["wirespeed.xdp.pipeline: nics[0].name: 'eth77' is not on this node."]),
            ("tuning", ["nics[0].tuning: is not for this module, which tunes nothing."]),
            ("bundle", ["Leave this option out."]),
            ("generation", ["name: there is no pipeline 'edge' on this node."]),
            ("gone", ["nics: 'eth77' is not on this node."]),
        ],
    )
    def test_a_mistake_is_one_sentence(self, told: Told, task: str, parts: List[str]) -> None:
        found = told[task]
        assert found["outcome"] == "failed" and "\n" not in found["msg"] and "defect" not in found["msg"]
        assert [part for part in parts if part not in found["msg"]] == []


ADOPT = {**ATTACH, "nics": [INTERFACE], "foreign": "adopt"}


class TestAdopted:
    """A program that ``ip link`` attached."""

    @pytest.fixture(scope="class")
    @classmethod
    def told(cls, node: NetnsNode, folder: Path) -> Iterator[Told]:
        other = base64.b64encode(compiled(EDGE.replace("edge", "other"))).decode()
        node.ssh("base64 -d > /run/other.bpf.o", feed=other)
        node.ssh(f"ip link set {INTERFACE} xdpdrv object /run/other.bpf.o section xdp")
        tasks = [
            edge("refused", fails=True, manifest="edge.pipeline.yml", nics=[INTERFACE]),
            edge("adopt_check", check=True, **ADOPT),
            edge("adopt", **ADOPT),
            edge("adopt_again", **ADOPT),
            info("adopted"),
            edge("back", state="rolled_back"),
            info("back_info"),
            edge("off", state="detached"),
            info("after"),
        ]
        yield play(node, folder, tasks)

    def test_unasked_it_is_left_alone(self, told: Told) -> None:
        assert told["refused"]["outcome"] == "failed" and "foreign: adopt" in told["refused"]["msg"]

    def test_it_is_taken_over_as_check_mode_said(self, told: Told) -> None:
        assert actions(told["adopt"])[0] == f"adopt {INTERFACE}" and carriers(told["adopted"]) == [INTERFACE]
        assert told["adopt_check"]["steps"] == told["adopt"]["steps"]
        assert not told["adopt_again"]["changed"]

    def test_one_can_go_back_to_it(self, told: Told) -> None:
        before = told["adopted"]["pipelines"][0]["generations"]
        assert [each["generation"] for each in before if each["adopted"]] == [live(told["back_info"])]

    def test_it_goes_with_the_pipeline(self, told: Told, node: NetnsNode) -> None:
        assert told["after"]["pipelines"] == [] and "xdp" not in node.out(f"ip link show {INTERFACE}")
