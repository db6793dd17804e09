# SPDX-License-Identifier: GPL-3.0-or-later
"""Where nothing may be written but a folder for what is temporary, as in an execution environment of AWX."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.probes import requires

from .conftest import Answer, Control

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool")

ROWS = 20000  # more than goes along with the module's options
DOCUMENT = "pipeline: scrubber\nschema: 1\ntables:\n  deny_v4: {file: deny.txt}\n"

# All of the machine's file systems but "may", and what programs need of the kernel. A mount may go while this runs,
# because somebody else on the machine removes what it lies on.
READ_ONLY = """
mount --bind "$WRITABLE" "$WRITABLE"
mount -o remount,bind,ro /
disks() { awk '$3 !~ /^(proc|sysfs|devtmpfs|devpts|tmpfs|bpf|cgroup2?|mqueue|nsfs)$/ { print $2 }' /proc/self/mounts; }
for tree in $(disks); do
    case $tree in
        / | "$WRITABLE") ;;
        *) mount -o remount,bind,ro "$tree" || ! mountpoint -q "$tree" ;;
    esac
done
if touch "$HOME/probe" ./probe 2>/dev/null; then echo "the file systems are writable" >&2; exit 9; fi
exec "$@"
"""
INSIDE = ["unshare", "--mount", "sh", "-ec", READ_ONLY, "sh"]


@pytest.fixture(scope="module")
def node() -> Iterator[NetnsNode]:
    made = NetnsNode(f"control-{os.getpid()}")
    made.up(2)
    try:
        yield made
    finally:
        made.down()


def filtering() -> List[Dict[str, Any]]:
    carried = {"nics": [{"name": INTERFACE, "pipeline": "scrubber"}], "pipelines": [{"name": "scrubber"}]}
    engine = {"src": "{{ lookup('wirespeed.xdp.engine') }}", "dest": "/root/wirespeed.pyz", "mode": "0755"}
    return [
        {"wirespeed.xdp.nic_info": {"names": [INTERFACE]}},
        {"wirespeed.xdp.node": carried},
        {"wirespeed.xdp.config": {"pipeline": "scrubber", "document": "deny.yml"}},
        {"ansible.builtin.copy": engine},
        {"wirespeed.xdp.node": carried, "check_mode": True},
    ]


@pytest.fixture
def may(control: Control) -> Path:
    """The only folder that may be written to."""
    made = control.work / "may"
    made.mkdir()
    return made


@pytest.fixture
def done(control: Control, node: NetnsNode, may: Path) -> Answer:
    rows = "".join(f"10.{number >> 8 & 255}.{number & 255}.1/32\n" for number in range(ROWS))
    (control.work / "deny.txt").write_text(rows)
    (control.work / "deny.yml").write_text(DOCUMENT)
    (control.work / "inventory.json").write_text(json.dumps(inventory([node])))
    play = [{"hosts": "all", "gather_facts": False, "tasks": filtering()}]
    (control.work / "play.json").write_text(json.dumps(play))
    return control.run(
        "ansible-playbook",
        *("-i", "inventory.json", "play.json"),
        inside=INSIDE,
        HOME=str(control.work),
        WRITABLE=str(may),
        TMPDIR=str(may),
        ANSIBLE_HOME=str(may / "ansible"),
        ANSIBLE_LOCAL_TEMP=str(may / "ansible" / "tmp"),
        ANSIBLE_REMOTE_TEMP="/tmp/ansible",
        ANSIBLE_SSH_CONTROL_PATH_DIR=str(may / "ansible" / "cp"),
        ANSIBLE_HOST_KEY_CHECKING="0",
        ANSIBLE_CALLBACKS_ENABLED="wirespeed.xdp.drift",
        WIRESPEED_DRIFT_REPORT=str(may / "report.json"),
    )


def test_plugins_write_nothing_but_the_report_that_is_asked_for(done: Answer, may: Path) -> None:
    assert done.code == 0, done.said
    left = [path.relative_to(may).as_posix() for path in may.rglob("*") if path.is_file()]
    assert left == ["report.json"]
