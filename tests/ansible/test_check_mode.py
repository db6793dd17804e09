# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode of every module, over ssh on a node where each that can change something has something to change."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Dict, Iterator

import pytest

from tests import playbook
from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.playbook import ROOT
from tests.probes import requires

CONVERGED: Dict[str, Any] = {"nics": [{"name": INTERFACE, "pipeline": "scrubber"}], "pipelines": [{"name": "scrubber"}]}
TUNED = {"name": INTERFACE, "tuning": {"mtu": {"mtu": 1300}}}
WRITES: Dict[str, Dict[str, Any]] = {
    "config": {"pipeline": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}},
    "nic": {"config": [TUNED]},
    "node": {"nics": [{**TUNED, "pipeline": "scrubber"}], "pipelines": [{"name": "scrubber"}]},
    "pipeline": {"name": "scrubber", "state": "detached"},
    "trace": {"nic": INTERFACE, "dest": "/tmp/trace.pcapng", "seconds": 0.2, "by": "build"},
}
RUN = {"id": "2026-11-27T03:39:15Z", "started": 1795750755.3}
FOLDER = "{{ playbook_dir }}/rollout"

READS: Dict[str, Dict[str, Any]] = {
    "config_info": {"pipeline": "scrubber"},
    "counters_info": {**CONVERGED, "window_seconds": 0.1},
    "nic_info": {"names": [INTERFACE]},
    "pipeline_info": {},
    "prerequisites_info": {},
    "diagnose": {"nic": INTERFACE, "seconds": 0.2},
    "kernel_upgrade": CONVERGED,
    "rollout_report": {"folder": FOLDER, "run": RUN},
    "rollout_result": {"folder": FOLDER, "run": RUN, "plan": {"steps": [], "changed": False, "versions": {}}},
}
MAY_REFUSE = ("kernel_upgrade",)
"""On a machine that has no kernel installed; that it changes nothing counts there, too."""

MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
MARK = "/run/before"
SETTINGS = f"""
ip -details -json link show {INTERFACE}
ethtool --show-features {INTERFACE}
ethtool --show-channels {INTERFACE}
grep -r . /sys/class/net/{INTERFACE}/queues /sys/class/net/{INTERFACE}/gro_flush_timeout
find /sys/fs/bpf | sort
bpftool map dump pinned /sys/fs/bpf/wirespeed/scrubber/*/maps/deny_v4
"""
PLACES = "/root /run /tmp /var/cache /var/lib/wirespeed /etc/wirespeed /etc/fstab /etc/sysctl.d /etc/systemd"
WRITTEN = f"find $(ls -d {PLACES} 2>/dev/null) -xdev -type f -newer {MARK}"

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool", "bpftool")


@dataclass(frozen=True)
class Checked:
    """``results`` by module; the node's settings before and after all of them; the files written meanwhile.

    ``here`` says whether any was written on the control node.
    """

    results: Dict[str, Dict[str, Any]]
    before: str
    after: str
    written: str
    here: bool


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    folder, node = tmp_path_factory.mktemp("site"), NetnsNode("check")
    node.up(2)
    try:

        def play(tasks: Dict[str, Dict[str, Any]], *arguments: str) -> playbook.Play:
            listed = [
                {"name": name, f"wirespeed.xdp.{name}": options, "ignore_errors": name in MAY_REFUSE}
                for name, options in tasks.items()
            ]
            (folder / "play.json").write_text(
                json.dumps([{"hosts": node.name, "gather_facts": False, "tasks": listed}])
            )
            return playbook.run(inventory([node]), str(folder / "play.json"), arguments=list(arguments))

        play({"node": CONVERGED})
        node.ssh(f"touch {MARK}")
        before = node.out(SETTINGS)
        done = play({**WRITES, **READS}, "--check", "--diff")
        results = {line["task"]: line["result"] for line in done.results if "task" in line}
        yield Checked(results, before, node.out(SETTINGS), node.out(WRITTEN), (folder / "rollout").exists())
    finally:
        node.down()


def test_each_module_is_tried_here() -> None:
    assert sorted([*WRITES, *READS]) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_each_module_says_that_it_supports_check_mode(module: str) -> None:
    text = (ROOT / "plugins" / "modules" / f"{module}.py").read_text()
    assert "supports_check_mode=True" in text
    assert re.search(r"check_mode:\n    support: full|wirespeed\.xdp\.attributes\.info", text)


@pytest.mark.parametrize("module", sorted(WRITES))
def test_a_module_says_that_it_would_change_something(checked: Checked, module: str) -> None:
    assert checked.results[module]["changed"] is True, checked.results[module]


@pytest.mark.parametrize("module", sorted(READS))
def test_a_module_that_only_reads_says_that_it_changes_nothing(checked: Checked, module: str) -> None:
    assert checked.results[module]["changed"] is False


def test_no_setting_program_pin_or_row_is_changed(checked: Checked) -> None:
    assert checked.after == checked.before


def test_no_file_is_written(checked: Checked) -> None:
    assert checked.written == ""
    assert not checked.here
