# SPDX-License-Identifier: GPL-3.0-or-later
"""Deviations of many kinds on a fleet: all are in the report, nothing else is, and nothing was changed.

A fleet of seven, and in the deep run of two hundred.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Set, Tuple

import pytest

from tests import browser
from tests.depth import DEEP, times
from tests.documentation import held
from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.probes import requires

from .conftest import Answer, Control
from .planted import LINK, PIPELINE, ROWS, TUNING, Plant, live, spread

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool", "bpftool", "xdp-tools")

NUMBER, PLANTED_NODES = (30, 9) if DEEP else (14, 4)
CLEAN = [f"drift-clean-{number}" for number in range(1, 1 + times("WIRESPEED_DRIFT_CLEAN", 1, 189))]
BY_DOCUMENT, LACKING, NOWHERE = "drift-document", "drift-lacking", "nowhere"
AT_A_TIME = 4
DOCUMENT = {"pipeline": PIPELINE, "tables": {"deny_v4": ["192.0.2.0/24"]}}
UNREACHABLE = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
STATE = (
    f"ip -d -j link show {INTERFACE}; ethtool -k {INTERFACE}; ethtool -l {INTERFACE};"
    f" grep -r . /sys/class/net/{INTERFACE}/queues/*/[rx]ps_* /sys/class/net/{INTERFACE}/napi_* /proc/sys/net/core;"
    f" find /sys/fs/bpf -printf '%p %i\\n' | sort; bpftool link show pinned {LINK};"
    f" for pin in /sys/fs/bpf/wirespeed/{PIPELINE}/*/maps/*_v4*; do bpftool -j map dump pinned $pin; done;"
    " find /var/lib/wirespeed /etc/wirespeed -type f -exec sha256sum {} +; true"
)
"""All that a node is by the tools of others; without counters and clocks."""


@dataclass(frozen=True)
class Fleet:
    control: Control
    nodes: Mapping[str, NetnsNode]
    planted: Mapping[str, Sequence[Plant]]

    @property
    def report(self) -> Path:
        return self.control.work / "report.json"

    @property
    def page(self) -> Path:
        return self.control.work / "report.html"

    def play(self, playbook: str, *arguments: str) -> Answer:
        return self.control.run(
            "ansible-playbook",
            *("-i", str(self.control.work / "inventory.json"), "--forks", "4", playbook, *arguments),
            ANSIBLE_PIPELINING="1",
            ANSIBLE_CALLBACKS_ENABLED="wirespeed.xdp.drift",
            WIRESPEED_DRIFT_REPORT=str(self.report),
            WIRESPEED_DRIFT_PAGE=str(self.page),
        )

    def states(self) -> Dict[str, str]:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            return dict(zip(self.nodes, pool.map(lambda node: node.out(STATE), self.nodes.values())))


@dataclass(frozen=True)
class Looked:
    """What drift reported of the fleet, and what the fleet was before and after it."""

    fleet: Fleet
    answer: Answer
    before: Mapping[str, str]
    after: Mapping[str, str]

    @property
    def document(self) -> Dict[str, Any]:
        return dict(json.loads(self.fleet.report.read_text()))

    def host(self, name: str) -> Dict[str, Any]:
        (found,) = (host for host in self.document["hosts"] if host["host"] == name)
        return dict(found)


def variables(tables: bool = True, **tuning: Any) -> Dict[str, Any]:
    nic = {"name": INTERFACE, "pipeline": PIPELINE, "tuning": {**TUNING, **tuning}}
    return {
        "wirespeed_nics": [nic],
        "wirespeed_pipelines": [{"name": PIPELINE, **({"tables": ROWS} if tables else {})}],
    }


@pytest.fixture(scope="module")
def fleet(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Converged, tampered with, and with a host that nobody can reach."""
    control = Control(collections, tmp_path_factory.mktemp("control"))
    planted = spread(NUMBER, [f"drift-{number}" for number in range(1, PLANTED_NODES + 1)])
    nodes = {name: NetnsNode(name) for name in (*planted, *CLEAN, BY_DOCUMENT, LACKING)}
    made = Fleet(control, nodes, planted)
    try:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(lambda node: node.up(4), nodes.values()))
        asked = {name: variables() for name in nodes}
        asked[BY_DOCUMENT] = variables(tables=False)
        _write_inventory(made, asked)
        _must(made.play("wirespeed.xdp.site"))
        _deliver(made)
        for name, plants in planted.items():
            for plant in plants:
                plant.on(nodes[name])
        pin, rows = live("deny_v4")(nodes[BY_DOCUMENT])
        nodes[BY_DOCUMENT].ssh(f"bpftool map delete pinned {pin} key {' '.join(rows[0]['key'])}")
        asked[LACKING] = variables(pause={"rx": True})
        _write_inventory(made, asked, {NOWHERE: {**UNREACHABLE, **variables()}})
        yield made
    finally:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(NetnsNode.down, nodes.values()))


def _write_inventory(fleet: Fleet, asked: Mapping[str, Any], more: Mapping[str, Any] = {}) -> None:
    hosts = inventory(list(fleet.nodes.values()), asked)
    hosts["all"]["hosts"].update(more)
    (fleet.control.work / "inventory.json").write_text(json.dumps(hosts))


def _deliver(fleet: Fleet) -> None:
    work = fleet.control.work
    (work / "document.yml").write_text(json.dumps(DOCUMENT))
    task = {"wirespeed.xdp.config": {"pipeline": PIPELINE, "document": str(work / "document.yml")}}
    (work / "deliver.yml").write_text(json.dumps([{"hosts": BY_DOCUMENT, "gather_facts": False, "tasks": [task]}]))
    _must(fleet.play(str(work / "deliver.yml")))


def _must(answer: Answer) -> None:
    assert answer.code == 0, answer.said


@pytest.fixture(scope="module")
def looked(fleet: Fleet) -> Looked:
    before = fleet.states()
    answer = fleet.play("wirespeed.xdp.drift")
    return Looked(fleet, answer, before, fleet.states())


def found(host: Mapping[str, Any]) -> Set[Tuple[str, str]]:
    return {(each["path"], each["kind"]) for each in host["deviations"]}


def test_every_planted_deviation_is_found_and_none_is_invented(looked: Looked) -> None:
    told = {name: sorted(found(looked.host(name))) for name in looked.fleet.planted}
    planted = {name: sorted((plant.path, plant.kind) for plant in each) for name, each in looked.fleet.planted.items()}
    assert told == planted
    drifted = {host["host"] for host in looked.document["hosts"] if host["deviations"]}
    assert drifted == {*planted, BY_DOCUMENT}
    assert sum(len(looked.host(name)["deviations"]) for name in planted) == NUMBER


@pytest.mark.skipif(DEEP, reason="the page shows the fleet of seven")
def test_the_page_on_drift_shows_what_is_told(looked: Looked) -> None:
    held.stands_in(looked.answer.out, "drift.md", "a fleet that drifted")


def test_they_are_of_at_least_twelve_kinds(looked: Looked) -> None:
    assert len({plant.name for plants in looked.fleet.planted.values() for plant in plants}) >= 12


def test_nothing_was_changed(looked: Looked) -> None:
    assert looked.after == looked.before


def test_a_row_behind_a_delivered_document_is_found(looked: Looked) -> None:
    (deviation,) = looked.host(BY_DOCUMENT)["deviations"]
    assert (deviation["path"], deviation["kind"], deviation["origin"]) == (
        f"{PIPELINE}.deny_v4",
        "config",
        "version 1",
    )
    assert deviation["want"] == {"rows": ["192.0.2.0/24"]} and deviation["have"] == {"rows": []}
    assert deviation["reason"] == "1 removed since version 1 was delivered; deliver it again"
    (pipeline,) = looked.host(BY_DOCUMENT)["pipelines"]
    assert pipeline["config_version"] == 1


@pytest.mark.parametrize(("name", "state"), [(CLEAN[0], "clean"), (LACKING, "unsupported"), (NOWHERE, "unreachable")])
def test_hosts_without_drift_are_told_apart(looked: Looked, name: str, state: str) -> None:
    host = looked.host(name)
    assert (host["state"], host["deviations"]) == (state, [])


def test_the_report_fits_its_schema(looked: Looked) -> None:
    from wirespeed.drift import written

    document = written.read(str(looked.fleet.report))
    assert document["summary"]["deviations"] == NUMBER + 1
    assert document["summary"]["hosts"] == len(looked.fleet.nodes) + 1


def test_the_report_tells_what_each_host_runs(looked: Looked) -> None:
    host = looked.host(CLEAN[0])
    (nic,), (pipeline,) = host["nics"], host["pipelines"]
    assert host["kernel"] == looked.fleet.nodes[CLEAN[0]].out("uname -r")
    assert (nic["driver"], nic["profile"], nic["xdp"]["pipeline"]) == ("veth", ["generic", "veth"], PIPELINE)
    assert len(nic["profile_hash"]) >= 12
    assert pipeline["running_object_hash"] == pipeline["object_hash"]


@requires("chromium")
def test_a_browser_shows_each_deviation_of_the_fleet(looked: Looked) -> None:
    paths = (
        "[...document.querySelectorAll('article')].map(a => [a.dataset.host,"
        " ...[...a.querySelectorAll('tbody th')].map(cell => cell.innerText)])"
    )
    with browser.browser() as chromium, browser.page(chromium, looked.fleet.page) as page:
        shown: List[List[str]] = page.run(paths)
        assert page.complaints == [] and page.requests == [looked.fleet.page.as_uri()]
    told = {host: sorted(paths) for host, *paths in shown}
    planted = {name: sorted(plant.path for plant in each) for name, each in looked.fleet.planted.items()}
    assert told == {**planted, BY_DOCUMENT: [f"{PIPELINE}.deny_v4"]}
