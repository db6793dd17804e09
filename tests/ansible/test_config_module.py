# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules config and config_info, in playbooks over ssh on a network namespace."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List

import pytest

from tests import playbook
from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.probes import requires

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool", "clang", "bpftool")

Told = Dict[str, Dict[str, Any]]  # the result of each task, by its name

ROWS = 20_000
"""In a file: a bundle of that many is copied as a file, a small one travels in the module's options."""
DOCUMENT = """
pipeline: scrubber
tables:
  deny_v4: {file: denied.txt}
  policies: [{policy: 1, countermeasures: [rate_limit], rate: 10kpps}]
  customers_v4: [{prefix: 198.51.100.0/24, customer: 7, policy: 1}]
"""
SMALL = {"deny_v4": ["192.0.2.0/24"]}
STRAY = "24 0 0 0 203 0 113 0 value 1"  # key and value as bpftool takes them: 203.0.113.0/24
PIN = "/sys/fs/bpf/wirespeed/scrubber/*/maps/deny_v4_$side"
MEDDLE = f"for side in a b; do bpftool map update pinned {PIN} key {STRAY}; done"


def config(task: str, *, check: bool = False, fails: bool = False, **options: Any) -> Dict[str, Any]:
    module = {"wirespeed.xdp.config": {"pipeline": "scrubber", **options}}
    return {"name": task, **module, "check_mode": check, "ignore_errors": fails, "register": task}


def info(task: str, **options: Any) -> Dict[str, Any]:
    return {"name": task, "wirespeed.xdp.config_info": {"pipeline": "scrubber", **options}, "register": task}


PLAY = [
    config("too_early", fails=True, tables=SMALL),
    {"name": "attach", "wirespeed.xdp.pipeline": {"name": "scrubber", "nics": [INTERFACE]}},
    config("check", check=True, document="scrubber.config.yml"),
    info("still_empty"),
    config("deliver", document="scrubber.config.yml"),
    config("again", document="scrubber.config.yml"),
    info("delivered", tables=["policies", "deny_v4"], limit=2),
    {"name": "meddle", "ansible.builtin.shell": MEDDLE},
    info("drifted"),
    config("repair", document="scrubber.config.yml"),
    info("repaired"),
    config("outdated", fails=True, tables=SMALL, expected_version=0),
    config("small", tables=SMALL),
    config("back_check", check=True, state="rolled_back"),
    config("back", state="rolled_back"),
    config("back_again", state="rolled_back"),
    info("after"),
    config("bad_row", fails=True, tables={"deny_v4": ["192.0.2.1/24"]}),
    config("bad_table", fails=True, tables={"deny_v5": []}),
    config("nothing", fails=True),
    config("private", fails=True, tables=SMALL, bundle="e30="),
    {"name": "detach", "wirespeed.xdp.pipeline": {"name": "scrubber", "state": "detached"}},
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """All of it in one play."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "scrubber.config.yml").write_text(DOCUMENT)
    (folder / "denied.txt").write_text("".join(f"10.{i >> 8}.{i & 255}.0/24\n" for i in range(ROWS)))
    node = NetnsNode("config")
    node.up(2)
    try:
        (folder / "play.json").write_text(json.dumps([{"hosts": node.name, "gather_facts": False, "tasks": PLAY}]))
        done = playbook.run(inventory([node]), str(folder / "play.json"), arguments=["--diff"])
        assert "Traceback" not in done.output, done.output
        yield {line["task"]: {**line["result"], "outcome": line["outcome"]} for line in done.results if "task" in line}
    finally:
        node.down()


def test_a_document_is_live_after_its_delivery(told: Told) -> None:
    assert told["deliver"]["changed"] and (told["deliver"]["before"], told["deliver"]["version"]) == (0, 1)
    assert told["delivered"]["rows"]["deny_v4"] == ROWS and told["delivered"]["drift"] == {}
    assert told["delivered"]["tables"]["deny_v4"] == ["10.0.0.0/24", "10.0.1.0/24"]
    assert told["delivered"]["tables"]["policies"][0]["rate"] == "10kpps"


def test_check_mode_says_the_same_and_changes_nothing(told: Told) -> None:
    predicted, done = told["check"], told["deliver"]
    for key in ("changed", "version", "digest", "strategy", "operations", "tables", "rows", "diff"):
        assert predicted[key] == done[key], key
    assert told["still_empty"]["version"] == 0 and told["still_empty"]["rows"]["deny_v4"] == 0
    assert "customers_v4: " in done["diff"]["after"] and done["diff"]["before"] == ""


def test_a_second_delivery_changes_nothing(told: Told) -> None:
    assert not told["again"]["changed"] and told["again"]["version"] == 1


def test_a_row_that_somebody_wrote_is_found_and_put_back(told: Told) -> None:
    drift = told["drifted"]["drift"]
    assert list(drift) == ["deny_v4"] and drift["deny_v4"]["rows"]["removed"] == ["203.0.113.0/24"]
    assert told["repair"]["changed"] and told["repair"]["operations"] == 1
    assert told["repaired"]["drift"] == {}


def test_rolled_back_brings_the_rows_before_back_once(told: Told) -> None:
    assert told["small"]["tables"]["deny_v4"]["removed"] == ROWS
    assert told["back"]["changed"] and told["back_check"]["tables"] == told["back"]["tables"]
    assert not told["back_again"]["changed"]
    assert told["after"]["rows"]["deny_v4"] == ROWS and told["after"]["deliveries"][0]["rollback_to"] is not None


@pytest.mark.parametrize(
    ("task", "parts"),
    [
        ("too_early", ["no pipeline 'scrubber' runs on this node."]),
        ("outdated", ["Version 0", "is live"]),
        ("bad_row", ["'192.0.2.1/24'", "host bits"]),
        ("bad_table", ["deny_v5", "Did you mean"]),
        ("nothing", ["wirespeed.xdp.config: document: "]),
        ("private", ["Leave this option out."]),
    ],
)
def test_a_mistake_is_told_and_nothing_is_changed(told: Told, task: str, parts: List[str]) -> None:
    found = told[task]
    assert found["outcome"] == "failed" and "defect" not in found["msg"]
    assert [part for part in parts if part not in found["msg"]] == []
