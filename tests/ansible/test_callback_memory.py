# SPDX-License-Identifier: GPL-3.0-or-later
"""What the drift callback keeps of each host: a real result is handed to it in the name of a thousand hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict

import pytest

from tests.probes import requires

from .conftest import Control
from .test_modules import WITH_BPFFS, result

HOSTS = 1000
APART = ["unshare", "--net", *WITH_BPFFS]

# argv: the recorded result, how many hosts. Prints the resident kilobytes before, after all hosts, and the most ever.
FEED = """
import copy, json, sys
from types import SimpleNamespace
from ansible.inventory.host import Host
from ansible.plugins.loader import callback_loader, init_plugin_loader

init_plugin_loader()
callback = callback_loader.get("wirespeed.xdp.drift")
callback.set_options()
recorded = open(sys.argv[1]).read()
task = SimpleNamespace(resolved_action="wirespeed.xdp.node", action="wirespeed.xdp.node", check_mode=True)

def memory(which):
    status = open("/proc/self/status").read()
    return int(status.split(which + ":")[1].split()[0])

def feed(first, last):
    for number in range(first, last):
        host = Host(f"edge{number:05}.example.net")
        callback.v2_runner_on_ok(SimpleNamespace(host=host, task=task, result=json.loads(recorded)))

callback.v2_playbook_on_task_start(task, False)
feed(0, 50)
before = memory("VmRSS")
feed(50, 50 + int(sys.argv[2]))
after = memory("VmRSS")
callback.v2_playbook_on_stats(None)
print("\\n" + json.dumps([before, after, memory("VmHWM")]))
"""

pytestmark = requires("root", "netns", "bpffs", "libbpf", "ansible")


@dataclass(frozen=True)
class Fed:
    """Bytes: ``one`` result as JSON, what each host added while they came, and with the report that was then made."""

    one: int
    kept: float
    peak: float
    report: Dict[str, Any]


@pytest.fixture(scope="module")
def fed(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Fed:
    control = Control(collections, tmp_path_factory.mktemp("control"))
    wanted = {"nics": [{"name": "lo", "tuning": {"mtu": {"mtu": 1400}, "txqueuelen": {"txqueuelen": 7}}}]}
    answer = control.module("node", wanted, "--check", inside=APART)
    assert answer.code == 0, answer.said
    recorded = control.work / "recorded.json"
    recorded.write_text(json.dumps(result(answer)))
    told = {"WIRESPEED_DRIFT_REPORT": "report.json", "WIRESPEED_DRIFT_PAGE": "report.html"}
    done = subprocess.run(
        [sys.executable, "-c", FEED, str(recorded), str(HOSTS)],
        cwd=control.work,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), **told},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    before, after, most = (1024 * kibibytes for kibibytes in json.loads(done.stdout.splitlines()[-1]))
    report = json.loads((control.work / "report.json").read_text())
    return Fed(recorded.stat().st_size, (after - before) / HOSTS, (most - before) / HOSTS, report)


def test_all_hosts_are_in_the_report_with_what_deviates(fed: Fed) -> None:
    assert len(fed.report["hosts"]) == HOSTS + 50
    assert {len(host["deviations"]) for host in fed.report["hosts"]} == {2}


def test_while_hosts_come_a_host_costs_less_than_half_of_its_result_as_text(fed: Fed) -> None:
    assert fed.kept < fed.one / 2, fed  # as Python's objects, which is what a run has of it, it is several times that


def test_with_the_report_a_host_costs_less_than_twice_that_text(fed: Fed) -> None:
    assert fed.peak < 2 * fed.one, fed
