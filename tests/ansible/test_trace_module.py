# SPDX-License-Identifier: GPL-3.0-or-later
"""The module trace, in one play over ssh on a network namespace: it traces, predicts and refuses."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator

import pytest

from tests import playbook
from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.probes import requires

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool", "clang", "libpcap")

SCRUBBER = {"nics": [{"name": INTERFACE, "pipeline": "scrubber"}], "pipelines": [{"name": "scrubber"}]}


def task(name: str, module: str, **options: Any) -> Dict[str, Any]:
    return {"name": name, f"wirespeed.xdp.{module}": options, "register": name}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dict[str, Dict[str, Any]]]:
    folder, node = tmp_path_factory.mktemp("site"), NetnsNode("trace")
    file = "/tmp/trace.pcapng"  # the node has a /tmp of its own
    node.up(1)
    tracing = {"nic": INTERFACE, "dest": file, "seconds": 0.3, "by": "build"}
    tasks = [
        task("node", "node", **SCRUBBER),
        {**task("check", "trace", **tracing), "check_mode": True},
        task("trace", "trace", **tracing, filter="udp", verdicts=["drop"]),
        {"name": "file", "ansible.builtin.stat": {"path": file}},
        {**task("filter", "trace", **tracing, filter="udp porte"), "ignore_errors": True},
        {**task("nobody", "trace", **{**tracing, "nic": "lo"}), "ignore_errors": True},
    ]
    try:
        (folder / "play.json").write_text(json.dumps([{"hosts": node.name, "gather_facts": False, "tasks": tasks}]))
        done = playbook.run(inventory([node]), str(folder / "play.json"))
        assert "Traceback" not in done.output, done.output
        yield {line["task"]: line["result"] for line in done.results if "task" in line}
    finally:
        node.down()


def test_it_writes_the_file_and_counts(told: Dict[str, Dict[str, Any]]) -> None:
    traced = told["trace"]
    assert traced["changed"] and traced["interface"] == "scrubber@trace" and traced["ended"] == "its time was over"
    assert traced["packets"]["matched"] == traced["packets"]["written"] + traced["packets"]["lost"]
    assert told["file"]["stat"]["size"] == traced["bytes"]


def test_check_mode_says_how_and_writes_nothing(told: Dict[str, Dict[str, Any]]) -> None:
    assert told["check"]["changed"] and told["check"]["interface"] == "scrubber@trace"
    assert "packets" not in told["check"]


@pytest.mark.parametrize(("task", "words"), [("filter", "syntax error"), ("nobody", "lo carries no XDP program")])
def test_what_cannot_be_traced_is_told(told: Dict[str, Dict[str, Any]], task: str, words: str) -> None:
    assert words in told[task]["msg"]
