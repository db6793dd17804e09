# SPDX-License-Identifier: GPL-3.0-or-later
"""What pages show in short is typed as it stands: on a node that has what they speak of, or on a control node."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Dict, Iterator, List

import pytest

from tests.depth import deep
from tests.documentation import reader, synopsis
from tests.documentation.shell import Shell
from tests.netns_node import inventory
from tests.netns_node.node import INTERFACE, node
from tests.probes import requires, requires_bpf, requires_sshd

PAGES = [reader.ROOT / "README.md", *sorted((reader.ROOT / "docs").glob("*.md"))]
DONE = {0, 2, 130}
"""All is well; something differs; ended by Ctrl-C, which everything gets that takes longer than ``SECONDS``."""
SECONDS = 4
KERNEL, OTHERS = "needs another kernel: tests/lab/test_upgrade.py", "needs wireshark, jq or another node"
NOT_HERE: Dict[str, str] = {
    "wirespeed upgrade check --to RELEASE -f intent.yml --record": KERNEL,
    "wirespeed upgrade compare -f intent.yml": KERNEL,
    "wirespeed trace enp1s0 -w - --filter 'udp port 53' | wireshark -k -i -": OTHERS,
    "ssh node wirespeed trace enp1s0 -w - --snaplen 128 | tshark -r -": OTHERS,
    """wirespeed version --json | jq -r '.objects[] | "\\(.digest)  \\(.name).bpf.o"'""": OTHERS,
    "wirespeed pipeline rollback scrubber 1f0c": "a generation has another name in each version",
    "ansible-playbook -i inventory.yml wirespeed.xdp.upgrade": KERNEL,
    "ansible-playbook -i inventory.yml wirespeed.xdp.rollback -e "
    """'{"wirespeed_rollback_to": {"configuration": 4}}'""": "needs four documents: test_config_module.py",
}
INTENT = """\
nics:
  - {name: enp1s0, pipeline: scrubber}
pipelines:
  - name: scrubber
    constants: {with_policies: WITH}
    tables: {deny_v4: [192.0.2.0/24]}
"""
READY = (
    "ip link add enp1s0 type veth peer name far1 && ip link set far1 up && ip link set enp1s0 up",
    "ip link add eth1 type veth peer name far2 && ip link set eth1 up",
    "sed s/WITH/false/ pattern > intent.yml && wirespeed apply -f intent.yml",
    "sed s/WITH/true/ pattern > intent.yml && wirespeed apply -f intent.yml",
    "wirespeed drift -f intent.yml --json drift.json && cp drift.json a.json",
    'sed s/"$(hostname)"/other/ drift.json > b.json',
)
"""What the pages speak of: two NICs, a pipeline that has a generation to go back to, and reports."""

pytestmark = [requires_bpf, requires("clang", "ethtool", "xdp-tools"), requires_sshd]


def typed(program: str) -> List[synopsis.Line]:
    """Each once, where it stands first."""
    first: Dict[str, synopsis.Line] = {}
    for path in PAGES:
        for line in synopsis.lines(path, program):
            first.setdefault(line.text, line)
    return [line for text, line in first.items() if text not in NOT_HERE]


def test_each_line_that_is_not_typed_still_stands_somewhere() -> None:
    shown = {line.text for path in PAGES for name in ("wirespeed", "ansible-playbook") for line in lines_of(path, name)}
    assert set(NOT_HERE) <= shown


def lines_of(path: Path, name: str) -> List[synopsis.Line]:
    """With those in which it is another's argument."""
    return [*synopsis.lines(path, name), *synopsis.lines(path, f"ssh node {name}")]


@pytest.fixture(scope="module")
def on_a_node() -> Iterator[Shell]:
    with reader.on_a_node("synopses") as shell:
        shell.write("pattern", INTENT)
        for command in READY:
            code, said = shell.run(command)
            assert code == 0, f"{command}: {said}"
        yield shell


@pytest.mark.parametrize("line", typed("wirespeed"), ids=lambda line: line.text)
def test_a_command_of_a_page_is_one_that_works(on_a_node: Shell, line: synopsis.Line) -> None:
    code, said = on_a_node.run(f"timeout --preserve-status -s INT {SECONDS} bash -c {shlex.quote(line.text)}")
    assert code in DONE and "Traceback" not in said, f"{line.place}: `{line.text}` ended with {code}:\n{said[-2000:]}"


@pytest.fixture(scope="module")
def on_a_control_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("control")
    with node("edge1") as edge, reader.at_home(folder) as shell:
        for name, constants in (("before.yml", {"with_policies": False}), ("inventory.yml", {})):
            pipeline = {"name": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}, "constants": constants}
            variables = {
                "wirespeed_nics": [{"name": INTERFACE, "pipeline": "scrubber"}],
                "wirespeed_pipelines": [pipeline],
                "wirespeed_rollout_soak": {"seconds": 1},
            }
            (folder / name).write_text(json.dumps(inventory.inventory([edge], {"edge1": variables})))
        setting_out = (
            "export ANSIBLE_COLLECTIONS_PATH=$(python3 collection/stage.py --path)",
            f"cd {shlex.quote(str(folder))}",
            "ansible-playbook -i before.yml wirespeed.xdp.site",  # code to go back to
        )
        for command in setting_out:
            code, said = shell.run(command)
            assert code == 0, said
        yield shell


@deep
def test_the_playbooks_of_the_pages_run_in_this_order(on_a_control_node: Shell) -> None:
    for line in typed("ansible-playbook"):
        code, said = on_a_control_node.run(line.text)
        assert code == 0, f"{line.place}: `{line.text}` ended with {code}:\n{said[-2000:]}"
        assert not re.search(r"failed=[1-9]|unreachable=[1-9]", said), said
