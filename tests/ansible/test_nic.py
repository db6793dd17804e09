# SPDX-License-Identifier: GPL-3.0-or-later
"""The module nic and the playbooks capture and review, over ssh on a network namespace, and without any host."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from tests import playbook
from tests.netns_node.inventory import inventory
from tests.netns_node.node import INTERFACE, NetnsNode
from tests.probes import requires

from .conftest import Answer, Control

pytestmark = requires("root", "netns", "bpf", "bpffs", "libbpf", "sshd", "ansible", "ethtool")

NOWHERE = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
WANTED: Dict[str, Any] = {
    "wirespeed_nics": [{"name": INTERFACE, "pipeline": "scrubber", "tuning": {"txqueuelen": {"txqueuelen": 2000}}}],
    "wirespeed_pipelines": [{"name": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}}],
}
LONGER = """
profile: longer
match: {driver: veth}
tuning:
  all:
    txqueuelen:
      txqueuelen: {value: 3000, why: for this test}
"""


@dataclass(frozen=True)
class Site:
    """One node, and an inventory that also has ``nowhere``, which cannot be reached."""

    control: Control
    node: NetnsNode

    def nic(self, *flags: str, **options: Any) -> Answer:
        """One task of the module."""
        arguments = ["-i", "inventory.json", "nic", "-m", "wirespeed.xdp.nic", "-a", json.dumps(options), *flags]
        return self.control.run("ansible", *arguments, ANSIBLE_PIPELINING="1")

    def set(self, *flags: str, state: str = "merged", **entry: Any) -> Dict[str, Any]:
        """The result of a task that tunes the node's NIC."""
        return result(self.nic(*flags, state=state, config=[{"name": INTERFACE, **entry}]))

    def play(self, name: str, *arguments: str) -> Answer:
        options = ["-i", "inventory.json", f"wirespeed.xdp.{name}", *arguments]
        return self.control.run("ansible-playbook", *options, ANSIBLE_PIPELINING="1")

    @property
    def features(self) -> str:
        return self.node.out(f"ethtool -k {INTERFACE}")


def result(answer: Answer) -> Dict[str, Any]:
    assert answer.code == 0, answer.said
    return dict(json.loads(answer.out[answer.out.index("=> {") + 3 :]))


def problem(answer: Answer) -> str:
    """The one paragraph of a task that failed as it should."""
    assert answer.code != 0 and "Traceback" not in answer.said, answer.said
    said = str(json.loads(answer.out[answer.out.index("=> {") + 3 :])["msg"])
    assert "\n" not in said and "defect" not in said
    return said


def changes(told: Dict[str, Any]) -> List[str]:
    return [f"{step['resource']} {step['before']} -> {step['after']}" for step in told["steps"]]


@pytest.fixture(scope="module")
def whole(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    control = Control(collections, tmp_path_factory.mktemp("control"))
    node = NetnsNode("nic")
    node.up(4)
    try:
        hosts = inventory([node], {node.name: WANTED})
        hosts["all"]["hosts"]["nowhere"] = {**NOWHERE, **WANTED}
        (control.work / "inventory.json").write_text(json.dumps(hosts))
        yield Site(control, node)
    finally:
        node.down()


@pytest.fixture
def site(whole: Site) -> Iterator[Site]:
    """The node with the NIC as it came up."""
    yield whole
    whole.node.ssh(f"ethtool -L {INTERFACE} rx 4 tx 4 || true")
    whole.node.ssh(f"ethtool -K {INTERFACE} gro off; ip link set {INTERFACE} mtu 1500 txqueuelen 1000")


def test_merged_changes_only_what_is_named_and_then_nothing(site: Site) -> None:
    wanted = {"features": {"rx-gro": True}, "mtu": {"mtu": 1400}}
    predicted = site.set("--check", tuning=wanted)
    assert predicted["changed"] and "generic-receive-offload: off" in site.features
    first = site.set(tuning=wanted)
    assert changes(first) == changes(predicted)
    assert changes(first) == ["features {'rx-gro': False} -> {'rx-gro': True}", "mtu {'mtu': 1500} -> {'mtu': 1400}"]
    assert "generic-receive-offload: on" in site.features
    assert [first[each][0]["tuning"]["mtu"]["mtu"] for each in ("before", "after")] == [1500, 1400]
    again = site.set(tuning=wanted)
    assert not again["changed"] and again["steps"] == [] and "after" not in again


def test_the_diff_shows_the_steps(site: Site) -> None:
    arguments = {"config": [{"name": INTERFACE, "tuning": {"mtu": {"mtu": 1400}}}]}
    assert f"1. {INTERFACE}: set mtu: mtu 1500 -> 1400" in site.nic("--check", "--diff", **arguments).out


def test_replaced_brings_what_is_not_named_to_the_profile_and_merged_leaves_it(site: Site) -> None:
    (site.control.work / "profiles").mkdir()
    (site.control.work / "profiles" / "longer.yml").write_text(LONGER)
    config = [{"name": INTERFACE, "tuning": {"mtu": {"mtu": 1400}}}]
    merged = result(site.nic(config=config, profiles_path=["profiles"]))
    assert changes(merged) == ["mtu {'mtu': 1500} -> {'mtu': 1400}"]
    replaced = result(site.nic(state="replaced", config=config, profiles_path=["profiles"]))
    assert changes(replaced) == ["txqueuelen {'txqueuelen': 1000} -> {'txqueuelen': 3000}"]
    assert "qlen 3000" in site.node.out(f"ip link show {INTERFACE}")


def test_gathered_can_be_fed_back(site: Site) -> None:
    kept = result(site.nic(state="gathered", config=[{"name": INTERFACE}]))["gathered"]
    assert kept[0]["name"] == INTERFACE and kept[0]["tuning"]["channels"] == {"rx": 4, "tx": 4}
    site.node.ssh(f"ethtool -L {INTERFACE} tx 2; ip link set {INTERFACE} mtu 1400")
    back = result(site.nic(config=kept))
    assert [each["path"] for each in back["deviations"]] == [f"{INTERFACE}.mtu.mtu", f"{INTERFACE}.channels.tx"]
    assert back["after"] == kept


def test_a_step_that_fails_undoes_those_before_it(site: Site) -> None:
    before = site.features
    entry = {"features": {"rx-gro": True}, "mtu": {"mtu": 1400}, "napi": {"defer-hard-irqs": 2**31}}
    said = problem(site.nic(config=[{"name": INTERFACE, "tuning": entry}]))
    assert f"{INTERFACE}.napi" in said and "ERANGE" in said and "2 earlier step(s) were undone" in said
    assert site.features == before
    assert "mtu 1500" in site.node.out(f"ip link show {INTERFACE}")


class TestUnderAProgram:
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def attached(cls, whole: Site) -> None:
        answer = whole.play("site", "--limit", "nic")
        assert answer.code == 0, answer.said

    def program(self, site: Site) -> Dict[str, Any]:
        shown = json.loads(site.node.out(f"ip -j -d link show {INTERFACE}"))[0]
        return dict(shown["xdp"])

    def test_tuning_leaves_the_program_as_it_is(self, whole: Site) -> None:
        before = self.program(whole)
        assert whole.set(tuning={"mtu": {"mtu": 1400}})["changed"]
        assert self.program(whole) == before

    def test_capture_and_review_need_no_host(self, whole: Site) -> None:
        assert whole.play("capture", "--limit", "nic").code == 0
        folder = whole.control.work / "wirespeed-facts"
        assert stat.S_IMODE((folder / "nic.json").stat().st_mode) == 0o600
        (folder / "nowhere.json").write_text((folder / "nic.json").read_text())
        answer = whole.play("review", "--limit", "nowhere")
        assert answer.code == 0 and "nothing to do" in answer.out, answer.said
        without_rows = json.dumps({"wirespeed_pipelines": [{"name": "scrubber"}]})
        answer = whole.play("review", "--limit", "nowhere", "-e", without_rows)
        assert "scrubber: configure deny_v4: +0 -1 rows" in answer.out, answer.said


RECORDED = Path(__file__).parents[1] / "unit" / "facts" / "veth_node.json"
LOWER_MTU = [{"name": INTERFACE, "tuning": {"mtu": {"mtu": 1400}}}]
TASKS: Dict[str, Dict[str, Any]] = {
    "rendered": {"config": LOWER_MTU, "facts": "facts.json"},
    "replaced": {"config": LOWER_MTU, "facts": "facts.json", "render_as": "replaced"},
    "parsed": {"state": "parsed", "facts": "facts.json"},
    "registered": {"state": "parsed", "running_config": "{{ lookup('file', 'facts.json') | from_json }}"},
    "fed back": {"config": "{{ parsed.parsed }}", "facts": "facts.json"},
    "misspelt key": {"config": [{"name": INTERFACE, "tunning": {}}], "facts": "facts.json"},
    "misspelt setting": {"config": [{"name": INTERFACE, "tuning": {"chanels": {"rx": 2}}}], "facts": "facts.json"},
    "misspelt state": {"state": "overridden", "config": LOWER_MTU},
    "pipeline": {"config": [{"name": INTERFACE, "pipeline": "scrubber"}], "facts": "facts.json"},
    "newer": {"config": LOWER_MTU, "facts": "newer.json"},
    "absent nic": {"config": [{"name": "eth7"}], "facts": "facts.json"},
    "no facts": {"config": LOWER_MTU},
    "no config": {"facts": "facts.json"},
    "no host": {"state": "merged", "config": LOWER_MTU, "facts": "facts.json"},
    "no file": {"config": LOWER_MTU, "facts": "none.json"},
    "no json": {"config": LOWER_MTU, "facts": "broken.json"},
}


class TestWithoutAHost:
    """One play on a host that cannot be reached."""

    @pytest.fixture(scope="class")
    @classmethod
    def told(cls, tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Dict[str, Any]]:
        """What each of the tasks returned."""
        folder = tmp_path_factory.mktemp("laptop")
        facts = RECORDED.read_text(encoding="utf-8")
        (folder / "facts.json").write_text(facts)
        (folder / "newer.json").write_text(json.dumps({**json.loads(facts), "facts_version": 99}))
        (folder / "broken.json").write_text(facts[:-5])
        tasks = [
            {"name": name, "wirespeed.xdp.nic": {"state": "rendered", **options}, "ignore_errors": True}
            for name, options in TASKS.items()
        ]
        tasks[list(TASKS).index("parsed")]["register"] = "parsed"
        play = {"hosts": "nowhere", "gather_facts": False, "become": True, "tasks": tasks}
        (folder / "play.json").write_text(json.dumps([play]))
        done = playbook.run({"all": {"hosts": {"nowhere": NOWHERE}}}, str(folder / "play.json"))
        assert "Traceback" not in done.output and "UNREACHABLE" not in done.output, done.output
        return {line["task"]: {"outcome": line["outcome"], **line["result"]} for line in done.results}

    def test_a_plan_is_rendered(self, told: Dict[str, Dict[str, Any]]) -> None:
        found = told["rendered"]
        assert found["outcome"] == "ok" and found["changed"] is False and found["captured"]["hostname"] == "edge1"
        assert [line.partition(" - ")[0] for line in found["rendered"]] == [f"{INTERFACE}: set mtu: mtu 1500 -> 1400"]
        assert found["refusals"] == [] and found["steps"][0]["disruption"] == "none"
        assert found["diff"]["prepared"].startswith(f"1. {INTERFACE}: set mtu")

    def test_as_replaced_the_profile_has_its_say(self, told: Dict[str, Dict[str, Any]]) -> None:
        assert [step["resource"] for step in told["replaced"]["steps"]] == ["mtu"]
        assert told["rendered"]["deviations"] == told["replaced"]["deviations"]

    def test_a_registered_result_is_taken_as_it_is(self, told: Dict[str, Dict[str, Any]]) -> None:
        assert told["registered"]["parsed"] == told["parsed"]["parsed"]
        assert told["parsed"]["parsed"][0]["tuning"]["channels"] == {"rx": 4, "tx": 4}

    def test_what_is_parsed_can_be_rendered_and_changes_nothing(self, told: Dict[str, Dict[str, Any]]) -> None:
        assert told["fed back"]["rendered"] == []

    @pytest.mark.parametrize(
        ("task", "parts"),
        [
            ("misspelt key", ["config[0].tunning", "Did you mean 'tuning'?"]),
            ("misspelt setting", ["tuning.chanels", "Did you mean 'channels'?"]),
            ("misspelt state", ["state: 'overridden'", "gathered, merged, parsed, rendered, replaced"]),
            ("pipeline", ["config[0].pipeline", "use the module wirespeed.xdp.node"]),
            ("newer", ["newer.json: facts_version: is 99", "newer Wirespeed"]),
            ("absent nic", ["config[0].name: 'eth7' is not on this node", "captured facts of edge1"]),
            ("no facts", ["facts: state rendered looks at no host"]),
            ("no config", ["config: is missing"]),
            ("no host", ["facts: is not for state merged"]),
            ("no file", ["'none.json' is not on the control node. Looked for "]),
            ("no json", ["broken.json:", "is not valid JSON"]),
        ],
    )
    def test_a_mistake_is_told(self, told: Dict[str, Dict[str, Any]], task: str, parts: List[str]) -> None:
        found = told[task]
        assert found["outcome"] == "failed" and "\n" not in found["msg"]
        assert [part for part in parts if part not in found["msg"]] == []
