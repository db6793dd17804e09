# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules config and config_info, in one play over ssh on a network namespace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import yaml

from tests import playbook
from tests.kernel.config_cases import MAPS, PLAIN, PROGRAM, SIDED
from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.pipelines import compiled
from tests.probes import requires

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool", "clang", "bpftool")

Told = Dict[str, Dict[str, Any]]  # the result of each task, by its name

POLICIES = """
struct policy { __u32 limit; char note[16]; };
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct policy);
} policies SEC(".maps");
"""
FIELDS = {"policy": {"member": "key"}, "note": {"type": "text", "default": ""}}
TABLES: Dict[str, Any] = {**MAPS, "policies": {"role": "config", "table": "records", "fields": FIELDS}}
MANIFEST: Dict[str, Any] = {
    "manifest": 1,
    "name": "small",
    "version": "1",
    "object": "small.bpf.o",
    "entry": "small",
    "maps": TABLES,
}
MANY = 4000
"""Rows whose bundle is larger than what goes along with a module's options."""
DOCUMENT = {
    "pipeline": "small",
    "tables": {
        "denied": ["192.0.2.0/24"],
        "hosts": ["203.0.113.1"],
        "ports": [53],
        "policies": {"file": "policies.jsonl"},
    },
}
INLINE = {"denied": ["192.0.2.0/25", "198.51.100.7"], "hosts": ["203.0.113.1"]}
MEDDLE = (
    "bpftool map update pinned /sys/fs/bpf/wirespeed/small/{{ info.generation }}/maps/ports key hex 00 16 value hex 01"
)


@pytest.fixture(scope="module")
def node() -> Iterator[NetnsNode]:
    made = NetnsNode("config")
    made.up(2)
    try:
        yield made
    finally:
        made.down()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A playbook's, with a pipeline, another manifest for its object, and documents."""
    made = tmp_path_factory.mktemp("site")
    (made / "small.bpf.o").write_bytes(compiled(SIDED + PLAIN + POLICIES + PROGRAM))
    (made / "small.pipeline.yml").write_text(yaml.safe_dump(MANIFEST))
    (made / "fewer.pipeline.yml").write_text(yaml.safe_dump({**MANIFEST, "maps": MAPS}))
    rows = [{"policy": number, "limit": number} for number in range(MANY)]
    (made / "policies.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (made / "d.yml").write_text(yaml.safe_dump(DOCUMENT))
    (made / "bad.yml").write_text("pipeline: small\ntables:\n  hosts:\n    - 203.0.113.1\n    - 203.0.113\n")
    return made


def config(task: str, *, check: bool = False, fails: bool = False, **options: Any) -> Dict[str, Any]:
    manifest = {} if options.get("state") == "rolled_back" else {"manifest": "small.pipeline.yml"}
    module = {"wirespeed.xdp.config": {"pipeline": "small", **manifest, **options}}
    return {"name": task, **module, "check_mode": check, "ignore_errors": fails, "register": task}


def info(task: str, **options: Any) -> Dict[str, Any]:
    return {"name": task, "wirespeed.xdp.config_info": {"pipeline": "small", **options}, "register": task}


def attachment(task: str, **options: Any) -> Dict[str, Any]:
    return {"name": task, "wirespeed.xdp.pipeline": {"name": "small", **options}}


WHOLE: Dict[str, Any] = {"document": "d.yml", "expected_version": 0}
FEW: Dict[str, Any] = {"tables": INLINE, "strategy": "entry", "expected_version": 2}
BACK: Dict[str, Any] = {"state": "rolled_back"}
MISTAKES: Dict[str, Dict[str, Any]] = {
    "stale": {"tables": {}, "expected_version": 1},
    "bad": {"document": "bad.yml"},
    "absent": {"document": "none.yml"},
    "neither": {},
    "both": {**WHOLE, "tables": {}},
    "row": {"tables": {"hosts": ["203.0.113"]}},
    "layout": {"tables": {}, "manifest": "fewer.pipeline.yml"},
    "built_in": {"tables": {}, "manifest": "smal"},
    "version": {"state": "rolled_back", "version": 9},
}
PLAY = [
    attachment("attach", manifest="small.pipeline.yml", nics=[INTERFACE]),
    config("whole_check", check=True, **WHOLE),
    config("whole", **WHOLE),
    config("whole_again", **WHOLE),
    info("info"),
    {"name": "meddle", "ansible.builtin.command": MEDDLE},
    info("drift"),
    config("repair", document="d.yml"),
    config("few_check", check=True, **FEW),
    config("few", **FEW),
    config("back_check", check=True, **BACK),
    config("back", **BACK),
    config("back_again", **BACK),
    info("rows", tables=["policies", "denied"], limit=2),
    *(config(task, fails=True, **options) for task, options in MISTAKES.items()),
    attachment("detach", state="detached"),
]


@pytest.fixture(scope="module")
def told(node: NetnsNode, folder: Path) -> Told:
    (folder / "play.json").write_text(json.dumps([{"hosts": node.name, "gather_facts": False, "tasks": PLAY}]))
    done = playbook.run(inventory([node]), str(folder / "play.json"), arguments=["--diff"])
    assert "Traceback" not in done.output, done.output
    return {line["task"]: {**line["result"], "outcome": line["outcome"]} for line in done.results if "task" in line}


def test_a_document_is_delivered_whole_and_once(told: Told) -> None:
    assert (told["whole"]["changed"], told["whole"]["before"], told["whole"]["version"]) == (True, 0, 1)
    assert told["whole"]["tables"]["policies"] == {"added": MANY, "changed": 0, "removed": 0}
    assert not told["whole_again"]["changed"] and told["whole_again"]["version"] == 1
    assert told["info"]["rows"] == {"denied": 1, "hosts": 1, "policies": MANY, "ports": 1}


@pytest.mark.parametrize("task", ["whole", "few", "back"])
def test_check_mode_predicts_the_result_and_the_diff(told: Told, task: str) -> None:
    predicted, found = told[f"{task}_check"], told[task]
    for key in ("changed", "version", "digest", "strategy", "why", "operations", "tables", "rows", "steps", "diff"):
        assert predicted[key] == found[key], key


def test_a_diff_has_the_rows_that_differ_and_says_how_many_more(told: Told) -> None:
    few, many = told["few"]["diff"], told["whole"]["diff"]["after"].splitlines()
    assert few["before"].splitlines()[:3] == [
        "version: 2",
        "denied: 192.0.2.0/24",
        'policies: {"limit":0,"note":"","policy":0}',
    ]
    assert few["after"].splitlines() == ["version: 3", "denied: 192.0.2.0/25", "denied: 198.51.100.7/32"]
    assert f"policies: and {MANY - 20} more" in many and len(many) < 30


def test_what_another_tool_wrote_is_found_and_put_back(told: Told) -> None:
    assert told["info"]["drift"] == {}
    assert told["drift"]["drift"]["ports"]["rows"] == {"added": ["22"], "changed": [], "removed": []}
    assert (told["drift"]["version"], told["drift"]["changed"]) == (1, False)
    assert told["repair"]["tables"] == {"ports": {"added": 0, "changed": 0, "removed": 1}}


def test_a_rollback_brings_the_rows_before_and_does_not_go_forward_again(told: Told) -> None:
    assert told["back"]["version"] == 4 and told["back"]["digest"] == told["whole"]["digest"]
    assert not told["back_again"]["changed"]


def test_info_tells_rows_up_to_a_limit_and_the_history(told: Told) -> None:
    tables = told["rows"]["tables"]
    assert tables["denied"] == ["192.0.2.0/24"] and list(tables) == ["policies", "denied"]
    assert [row["policy"] for row in tables["policies"]] == [0, 1]
    assert [(each["version"], each["rollback_to"]) for each in told["rows"]["deliveries"]] == [
        (4, 2),
        (3, None),
        (2, None),
        (1, None),
    ]


@pytest.mark.parametrize(
    ("task", "parts"),
    [
        ("stale", ["Version 1 of the configuration of small was expected, but version 4 is live"]),
        ("bad", ["/bad.yml:5: table hosts, row 2: '203.0.113' is no IPv4 address"]),
        ("absent", ["wirespeed.xdp.config: document: 'none.yml' is not on the control node."]),
        ("neither", ["wirespeed.xdp.config: document: is missing."]),
        ("both", ["wirespeed.xdp.config: tables: is part of the document."]),
        ("row", ["wirespeed.xdp.config: table hosts, row 1: '203.0.113' is no IPv4 address"]),
        ("layout", ["document: layout: is ", "Compile the document again with the object that runs here."]),
        ("built_in", ["wirespeed.xdp.config: manifest: there is no pipeline 'smal'"]),
        ("version", ["pipeline small has no version 9. There are: 1, 2, 3, 4."]),
    ],
)
def test_a_mistake_is_one_sentence(told: Told, task: str, parts: List[str]) -> None:
    found = told[task]
    assert found["outcome"] == "failed" and "\n" not in found["msg"] and "defect" not in found["msg"]
    assert [part for part in parts if part not in found["msg"]] == []


def test_nothing_of_it_stays(told: Told, node: NetnsNode) -> None:
    assert node.out("find /sys/fs/bpf -mindepth 1 ! -name '*.debug'") == ""
    assert node.out("find /root/.ansible/tmp -name document.bundle") == ""
