# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a run asks for the host: with many hosts, each session counts. By real ssh, whose sessions are counted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.playbook import ROOT
from tests.probes import requires

from .conftest import Answer, Control

WANTED: Dict[str, Any] = {
    "wirespeed_nics": [{"name": INTERFACE, "pipeline": "scrubber", "tuning": {"mtu": {"mtu": 1400}}}],
    "wirespeed_pipelines": [{"name": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}}],
}
COUNTING = '#!/bin/sh\necho "{program}" >>"{log}"\nexec {program} "$@"\n'
LARGEST_PAYLOAD = 5 << 18
"""Bytes of what is sent for a task: the module, the part of the engine that it reaches, profiles, objects."""

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible")


@dataclass(frozen=True)
class Site:
    """A converged node, by the ansible.cfg that the documentation hands out."""

    control: Control

    @property
    def log(self) -> Path:
        return self.control.work / "sessions"

    def play(self, name: str, *arguments: str) -> Answer:
        self.log.write_text("")
        answer = self.control.run(
            "ansible-playbook",
            *("-i", "inventory.json", f"wirespeed.xdp.{name}", *arguments),
            ANSIBLE_CONFIG=str(ROOT / "docs/examples/ansible.cfg"),
        )
        assert answer.code == 0, answer.said
        return answer

    def sessions(self, name: str, *arguments: str) -> int:
        """Commands and file transfers of one run."""
        self.play(name, *arguments)
        return len(self.log.read_text().splitlines())


@pytest.fixture(scope="module")
def site(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    control = Control(collections, tmp_path_factory.mktemp("control"))
    site = Site(control)
    variables = dict(WANTED)
    for program in ("ssh", "scp", "sftp"):
        wrapper = control.work / program
        wrapper.write_text(COUNTING.format(program=program, log=site.log))
        wrapper.chmod(0o755)
        variables[f"ansible_{program}_executable"] = str(wrapper)
    node = NetnsNode("trips")
    node.up(2)
    try:
        (control.work / "inventory.json").write_text(json.dumps(inventory([node], {node.name: variables})))
        site.play("site")
        yield site
    finally:
        node.down()


def test_a_site_run_with_nothing_to_do_is_one_session(site: Site) -> None:
    assert site.sessions("site") == 1


def test_a_site_run_that_changes_something_is_one_session(site: Site) -> None:
    changed = {"wirespeed_nics": [{"name": INTERFACE, "pipeline": "scrubber", "tuning": {"mtu": {"mtu": 1300}}}]}
    assert site.sessions("site", "-e", json.dumps(changed)) == 1


def test_check_mode_is_one_session(site: Site) -> None:
    assert site.sessions("site", "--check", "--diff") == 1


def test_drift_is_one_session(site: Site) -> None:
    assert site.sessions("drift") == 1


def test_counters_cost_one_session_more(site: Site) -> None:
    verified = {"wirespeed_verify_counters": True, "wirespeed_verify_window_seconds": 0.1}
    assert site.sessions("site", "-e", json.dumps(verified)) == 2


def test_what_is_sent_for_a_task_stays_small(control: Control) -> None:
    """It grows with whatever the module reaches by an import: command line, exporter and trace are not for it."""
    wanted = json.dumps({"nics": [{"name": "lo"}]})
    arguments = ["-i", "localhost,", "-c", "local", "localhost", "-m", "wirespeed.xdp.node", "-a", wanted, "--check"]
    control.run("ansible", *arguments, ANSIBLE_KEEP_REMOTE_FILES="1", inside=["unshare", "--net"])
    (sent,) = (control.work / "remote").rglob("AnsiballZ_node.py")
    assert sent.stat().st_size < LARGEST_PAYLOAD
