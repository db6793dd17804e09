# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook wirespeed.xdp.drift over ssh, on a node that is a network namespace on this kernel."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.probes import requires

from .conftest import Answer, Control
from .test_engine_file import built

WANTED: Dict[str, Any] = {
    "wirespeed_nics": [{"name": INTERFACE, "pipeline": "scrubber", "tuning": {"features": {"rx-gro": True}}}],
    "wirespeed_pipelines": [{"name": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}}],
}
NOWHERE = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool")


@dataclass(frozen=True)
class Site:
    """One converged node and the inventory that has it, with another host that cannot be reached."""

    control: Control
    node: NetnsNode

    @property
    def report(self) -> Path:
        return self.control.work / "report.json"

    @property
    def page(self) -> Path:
        return self.control.work / "report.html"

    def play(self, name: str, *arguments: str) -> Answer:
        options = ["-i", str(self.control.work / "inventory.json"), f"wirespeed.xdp.{name}", *arguments]
        return self.control.run(
            "ansible-playbook",
            *options,
            ANSIBLE_PIPELINING="1",
            ANSIBLE_CALLBACKS_ENABLED="wirespeed.xdp.drift",
            WIRESPEED_DRIFT_REPORT=str(self.report),
            WIRESPEED_DRIFT_PAGE=str(self.page),
        )

    def drift(self, *arguments: str) -> Answer:
        return self.play("drift", "--limit", self.node.name, *arguments)

    def reported(self) -> Dict[str, Any]:
        """The hosts of the report by name."""
        return {host["host"]: host for host in json.loads(self.report.read_text())["hosts"]}


@pytest.fixture(scope="module")
def site(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    control = Control(collections, tmp_path_factory.mktemp("control"))
    node = NetnsNode("drift")
    node.up(2)
    try:
        hosts = inventory([node], {node.name: WANTED})
        hosts["all"]["hosts"]["nowhere"] = {**NOWHERE, **WANTED}
        (control.work / "inventory.json").write_text(json.dumps(hosts))
        site = Site(control, node)
        answer = site.play("site", "--limit", node.name)
        assert answer.code == 0, answer.said
        yield site
    finally:
        node.down()


@pytest.fixture
def tampered(site: Site) -> Iterator[Site]:
    site.node.ssh(f"ethtool -K {INTERFACE} gro off")
    yield site
    site.node.ssh(f"ethtool -K {INTERFACE} gro on")


def test_a_node_as_it_should_be_has_no_drift(site: Site) -> None:
    answer = site.drift("-e", "wirespeed_drift_fails=true")
    assert answer.code == 0, answer.said
    (host,) = site.reported().values()
    assert (host["host"], host["state"], host["deviations"]) == ("drift", "clean", [])
    assert "no drift: drift" in answer.out


def test_a_deviation_is_told_with_what_is_wanted_and_what_its_repair_costs(tampered: Site) -> None:
    answer = tampered.drift()
    assert answer.code == 0, answer.said
    (host,) = tampered.reported().values()
    assert [deviation["path"] for deviation in host["deviations"]] == [f"{INTERFACE}.features.rx-gro"]
    assert f"    {INTERFACE}.features.rx-gro: want on, have off: " in answer.out
    assert "; repair: " in answer.out


def test_drift_repairs_nothing(tampered: Site) -> None:
    tampered.drift()
    assert "generic-receive-offload: off" in tampered.node.out(f"ethtool -k {INTERFACE}")


def test_a_host_with_drift_fails_where_that_is_asked_for(tampered: Site) -> None:
    assert tampered.drift("-e", "wirespeed_drift_fails=true").code == 2


def test_a_host_that_cannot_be_reached_is_told_apart_from_a_clean_one(site: Site) -> None:
    answer = site.play("drift")
    assert answer.code == 4
    assert site.reported()["nowhere"]["state"] == "unreachable"
    assert site.reported()["drift"]["state"] == "clean"
    assert "no drift: drift\n" in answer.out


def test_a_fleet_of_which_nobody_answers_has_a_report_that_says_so(site: Site) -> None:
    site.play("drift", "--limit", "nowhere")
    assert {name: host["state"] for name, host in site.reported().items()} == {"nowhere": "unreachable"}
    assert "1 unreachable" in re.sub("<[^>]+>", "", site.page.read_text())


def test_a_run_of_another_playbook_leaves_the_report_alone(site: Site) -> None:
    site.report.write_text("of another day")
    site.play("capture", "--limit", "nowhere")
    assert site.report.read_text() == "of another day"


def test_a_report_that_cannot_be_written_is_told_and_the_other_is_written(site: Site) -> None:
    site.report.unlink(missing_ok=True)
    site.report.mkdir()
    try:
        answer = site.drift()
    finally:
        site.report.rmdir()
    assert f"Cannot write {site.report}" in answer.said and "Traceback" not in answer.said
    assert "1 host is as it should be" in site.page.read_text()


def test_a_host_without_intent_is_told_so_and_is_in_the_report(site: Site) -> None:
    (site.control.work / "inventory.json").rename(site.control.work / "kept.json")
    try:
        (site.control.work / "inventory.json").write_text(json.dumps(inventory([site.node])))
        answer = site.drift()
    finally:
        (site.control.work / "kept.json").rename(site.control.work / "inventory.json")
    assert answer.code == 2
    assert "has no variable wirespeed_nics" in answer.said
    (host,) = site.reported().values()
    assert host["state"] == "failed" and "has no variable wirespeed_nics" in host["reason"]


def test_the_command_tells_on_the_node_what_the_playbook_tells_of_it(tampered: Site) -> None:
    tampered.drift()
    (told,) = tampered.reported().values()
    intent = {key[len("wirespeed_") :]: value for key, value in WANTED.items()}
    engine = base64.b64encode(built(tampered.control, "engine").read_bytes()).decode()
    tampered.node.ssh("base64 -d > /root/wirespeed.pyz", feed=engine)
    tampered.node.ssh("cat > /root/intent.yml", feed=json.dumps(intent))
    command = (
        "/usr/bin/python3 /root/wirespeed.pyz drift -f /root/intent.yml --json /root/drift.json --html /root/drift.html"
    )
    answer = tampered.node.ssh(command, check=False)
    assert (answer.returncode, answer.stderr) == (2, ""), answer.stderr
    (host,) = json.loads(tampered.node.out("cat /root/drift.json"))["hosts"]
    assert host == told
    assert tampered.node.out("head -1 /root/drift.html") == "<!doctype html>"
