# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of the modules are tasks that run: in check mode, on a node that has what they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import yaml

from tests import playbook
from tests.depth import deep
from tests.documentation import page, specs
from tests.netns_node import inventory, node
from tests.pipelines import compiled
from tests.probes import requires, requires_bpf, requires_sshd
from wirespeed import cli

ROOT = Path(__file__).resolve().parents[2]
NAME = "examples"
NICS = ("enp1s0", "enp2s0", "enp3s0", "veth0")
DOCUMENT = {"pipeline": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}}
ELSEWHERE = {
    "Only tune": "a NIC at a PCI address",
    "Attach a program of one's own, without ever letting": "rings",
    "Fail unless every packet of two seconds is accounted for": "traffic (docs/tutorial.md has it)",
}
"""Examples that need what this node has not, by the beginning of the task's name."""

pytestmark = [deep, requires_bpf, requires("clang"), requires_sshd]


@pytest.fixture(scope="module")
def target() -> Iterator[node.NetnsNode]:
    """A node with the NICs that the examples name."""
    with node.node(NAME) as made:
        for number, nic in enumerate(NICS):
            made.ssh(
                f"ip link add {nic} numrxqueues 4 numtxqueues 4 type veth peer name peer{number} && "
                f"ip link set {nic} up && ip link set peer{number} up"
            )
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, target: node.NetnsNode) -> Path:
    """A repository of playbooks with the files that the examples name, after it has been played before."""
    where = tmp_path_factory.mktemp("repository")
    for name in ("configuration", "facts", "nic_profiles", "traces", "pipelines"):
        (where / name).mkdir()
    _edge(where / "pipelines")
    (where / "configuration/scrubber.yml").write_text(yaml.safe_dump(DOCUMENT))
    bundle = ["config", "compile", str(where / "configuration/scrubber.yml"), "-o"]
    assert cli.main([*bundle, str(where / "configuration/scrubber.bundle")]) == 0
    profile = next(
        each for each in page.blocks(ROOT / "docs/howto_profile.md") if each.title == "nic_profiles/edge.yml"
    )
    (where / "nic_profiles/edge.yml").write_text(profile.text)
    _play(where, target, "before", BEFORE)
    return where


def _edge(where: Path) -> None:
    """The program and the manifest of docs/sdk.md."""
    parts = page.blocks(ROOT / "docs/sdk.md")
    code = "".join(block.text for block in parts if block.language == "c")
    (manifest,) = (block.text for block in parts if block.language == "yaml")
    (where / "edge.bpf.o").write_bytes(compiled(code))
    (where / "edge.pipeline.yml").write_text(manifest)


def _pipeline(name: str, nics: List[str], **more: Any) -> Dict[str, Any]:
    return {"wirespeed.xdp.pipeline": {"name": name, "nics": nics, **more}}


def _kept(file: str) -> Dict[str, Any]:
    return {
        "ansible.builtin.copy": {"content": "{{ found }}", "dest": file, "mode": "0600"},
        "delegate_to": "localhost",
    }


EDGE = {"manifest": "pipelines/edge.pipeline.yml"}
# What the examples find: two pipelines with an earlier generation, two deliveries, and captured facts.
BEFORE = [
    _pipeline("scrubber", ["enp1s0", "enp2s0"]),
    _pipeline("edge", ["veth0"], **EDGE),
    _pipeline("edge", ["veth0"], constants={"min_ttl": 3}, **EDGE),
    {"wirespeed.xdp.config": {"pipeline": "scrubber", "tables": {"deny_v4": ["192.0.2.7"]}}},
    {"wirespeed.xdp.config": {"pipeline": "scrubber", "tables": {"deny_v4": ["192.0.2.8"]}}},
    {"wirespeed.xdp.nic_info": {"names": ["enp1s0"]}, "register": "found"},
    _kept("{{ playbook_dir }}/facts/edge1.json"),
    _kept("{{ playbook_dir }}/facts/{{ inventory_hostname }}.json"),
]


def _play(where: Path, target: node.NetnsNode, name: str, tasks: List[Dict[str, Any]], *arguments: str) -> None:
    path = where / f"{name}.yml"
    path.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}], sort_keys=False))
    done = playbook.run(inventory.inventory([target]), str(path), arguments=list(arguments), check=False)
    assert done.code == 0, done.output[-3000:]


def _examples(module: str) -> List[Dict[str, Any]]:
    tasks = yaml.safe_load(specs.shown("module")[module]["examples"])
    return [task for task in tasks if not task["name"].startswith(tuple(ELSEWHERE))]


@pytest.mark.parametrize("module", sorted(path.stem for path in (ROOT / "plugins/modules").glob("[a-z]*.py")))
def test_the_examples_of_a_module_run(module: str, target: node.NetnsNode, folder: Path) -> None:
    _play(folder, target, module, _examples(module), "--check")
