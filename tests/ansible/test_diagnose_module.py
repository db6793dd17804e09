# SPDX-License-Identifier: GPL-3.0-or-later
"""The module diagnose, in one play over ssh on a network namespace."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator

import pytest

from tests import playbook
from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.probes import requires

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool", "clang")


def task(name: str, **options: Any) -> Dict[str, Any]:
    return {"name": name, "wirespeed.xdp.diagnose": options, "register": name, "ignore_errors": True}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dict[str, Dict[str, Any]]]:
    folder, node = tmp_path_factory.mktemp("site"), NetnsNode("diagnose")
    node.up(1)
    tasks = [
        task("quiet", nic=INTERFACE, seconds=0.2),
        {**task("check", nic=INTERFACE, seconds=0.2), "check_mode": True},
        task("nobody", nic="nowhere", seconds=0.2),
        task("long", nic=INTERFACE, seconds=86400),
    ]
    try:
        (folder / "play.json").write_text(json.dumps([{"hosts": node.name, "gather_facts": False, "tasks": tasks}]))
        done = playbook.run(inventory([node]), str(folder / "play.json"))
        assert "Traceback" not in done.output, done.output
        yield {line["task"]: line["result"] for line in done.results if "task" in line}
    finally:
        node.down()


@pytest.mark.parametrize("name", ["quiet", "check"])
def test_a_quiet_nic_has_no_cause_and_all_the_evidence(told: Dict[str, Dict[str, Any]], name: str) -> None:
    answer = told[name]
    assert (answer["changed"], answer["lost"], answer["causes"][0]["stage"]) == (False, 0, "nothing"), answer
    assert answer["evidence"]["redirect_errors"] == {} and answer["evidence"]["stalls"], answer["unseen"]


@pytest.mark.parametrize(
    ("name", "words"), [("nobody", "nic: 'nowhere' is not on this node"), ("long", "seconds: 86400 is not between")]
)
def test_what_cannot_be_asked_is_told(told: Dict[str, Dict[str, Any]], name: str, words: str) -> None:
    assert words in told[name]["msg"]
