# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of the modules are tasks that run: in check mode, on a node that has what they name."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import yaml

from tests import playbook
from tests.documentation import page, specs
from tests.netns_node import inventory, node
from tests.pipelines import OBJECTS, compiled
from tests.probes import requires, requires_bpf, requires_sshd

ROOT = Path(__file__).resolve().parents[2]
NAME = "examples"
NICS = ("enp1s0", "enp2s0", "enp3s0", "veth0")
DOCUMENT = {"pipeline": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}}
HARDWARE = {"Only tune": "a NIC at a PCI address"}
"""Examples that need what a network namespace has not, by the name of the task."""

pytestmark = [requires_bpf, requires("clang"), requires_sshd]


@pytest.fixture(scope="module")
def target() -> Iterator[node.NetnsNode]:
    """A node with the NICs that the examples name, and the scrubber with a delivered document on two of them."""
    with node.node(NAME) as made:
        for number, nic in enumerate(NICS):
            peer = f"peer{number} netns {made.wire_namespace}"
            made.ssh(f"ip link add {nic} numrxqueues 4 numtxqueues 4 type veth peer name peer{number}")
            made.ssh(f"ip link set {nic} up && ip link set {peer.split()[0]} up")
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, target: node.NetnsNode) -> Path:
    """A repository of playbooks with the files that the examples name."""
    where = tmp_path_factory.mktemp("repository")
    _edge(where / "pipelines")
    for name in ("configuration", "facts", "nic_profiles", "traces"):
        (where / name).mkdir()
    (where / "configuration/scrubber.yml").write_text(yaml.safe_dump(DOCUMENT))
    (where / "configuration/scrubber.bundle").write_text(yaml.safe_dump(DOCUMENT))
    profile = next(each for each in page.blocks(ROOT / "docs/howto_profile.md") if each.title == "nic_profiles/edge.yml")
    (where / "nic_profiles/edge.yml").write_text(profile.text)
    return where


def _edge(where: Path) -> None:
    """The program and the manifest of docs/sdk.md."""
    where.mkdir()
    parts = page.blocks(ROOT / "docs/sdk.md")
    code = "".join(block.text for block in parts if block.language == "c")
    (manifest,) = (block.text for block in parts if block.language == "yaml")
    (where / "edge.bpf.o").write_bytes(compiled(code))
    (where / "edge.pipeline.yml").write_text(manifest)


def _examples(module: str) -> List[Dict[str, Any]]:
    tasks = yaml.safe_load(specs.shown("module")[module]["examples"])
    return [task for task in tasks if task["name"] not in HARDWARE]


@pytest.mark.parametrize("module", sorted(path.stem for path in (ROOT / "plugins/modules").glob("[a-z]*.py")))
def test_the_examples_of_a_module_run(module: str, target: node.NetnsNode, folder: Path) -> None:
    play = [{"hosts": "all", "gather_facts": False, "tasks": _examples(module)}]
    path = folder / f"{module}.yml"
    path.write_text(yaml.safe_dump(play, sort_keys=False))
    done = playbook.run(inventory.inventory([target]), str(path), arguments=["--check"], check=False)
    assert done.code == 0, done.output[-3000:]
