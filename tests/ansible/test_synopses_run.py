# SPDX-License-Identifier: GPL-3.0-or-later
"""What pages show and do not run has its reason here. Playbooks in short are typed as they stand, on a control node, in
the deep run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Dict, Iterator

import pytest

from tests.depth import deep
from tests.documentation import reader, synopsis
from tests.documentation.shell import Shell
from tests.netns_node import inventory
from tests.netns_node.node import INTERFACE, node
from tests.probes import requires, requires_bpf, requires_sshd

PAGES = [reader.ROOT / "README.md", *sorted((reader.ROOT / "docs").glob("*.md"))]
KERNEL = "needs another kernel, and a reboot: tests/lab/test_upgrade.py"
WINDOW = "needs another machine, or a desktop"
LONG = "takes many minutes, and is run by itself"
NOT_RUN: Dict[str, str] = {
    "make demo": LONG,
    "make demo NODE=netns": "takes a minute: below, in the deep run",
    "make test": LONG,
    "make bench": LONG,
    'make bench BENCHES="publish packet"': LONG,
    "make test-deep TESTS=tests/kernel/test_config_consistency.py": LONG,
    "git checkout v0.1.0 && make dist": "needs a release; what `make dist` makes: tests/ansible/test_release.py",
    "ansible-pull --url https://git.example.org/site.git --checkout main --directory /var/lib/site \\": (
        "needs the site's repository: tests/ansible/test_pull.py"
    ),
    "wirespeed upgrade check --to RELEASE -f intent.yml --record": KERNEL,
    "wirespeed upgrade compare -f intent.yml": KERNEL,
    "ansible-playbook -i inventory.yml wirespeed.xdp.upgrade": KERNEL,
    "ssh node wirespeed trace enp1s0 -w - --snaplen 128 | tshark -r -": WINDOW,
    "ssh node wirespeed trace enp1s0 -w - --verdict drop | wireshark -k -i -": WINDOW,
    "ssh edge1 wirespeed trace enp1s0 -w - --verdict drop --snaplen 128 | wireshark -k -i -": WINDOW,
    "wirespeed trace enp1s0 -w dropped.pcapng --policy 12 --verdict drop --for 10s": "the page on traces runs it",
    "ansible-playbook -i inventory.yml wirespeed.xdp.rollback -e "
    """'{"wirespeed_rollback_to": {"configuration": 4}}'""": "needs four documents: test_config_module.py",
}


def _shown() -> Dict[str, str]:
    """Each once, with the place where it stands first."""
    first: Dict[str, str] = {}
    for path in PAGES:
        for line in synopsis.lines(path):
            first.setdefault(line.text, line.place)
    return first


SHOWN = _shown()
TYPED = [text for text in SHOWN if text.startswith("ansible-playbook ") and text not in NOT_RUN]


def test_each_command_that_is_shown_and_not_run_has_its_reason() -> None:
    unnamed = {text: place for text, place in SHOWN.items() if text not in NOT_RUN and text not in TYPED}
    assert unnamed == {}, "have it run (CONTRIBUTING.md says how), or name it in NOT_RUN"
    assert set(NOT_RUN) <= set(SHOWN), "these stand nowhere any more"


@pytest.fixture
def on_a_control_node(short_path: Path) -> Iterator[Shell]:
    with node("edge1") as edge, reader.at_home(short_path) as shell:
        for name, constants in (("before.yml", {"with_policies": False}), ("inventory.yml", {})):
            pipeline = {"name": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}, "constants": constants}
            variables = {
                "wirespeed_nics": [{"name": INTERFACE, "pipeline": "scrubber"}],
                "wirespeed_pipelines": [pipeline],
                "wirespeed_rollout_soak": {"seconds": 1},
            }
            (short_path / name).write_text(json.dumps(inventory.inventory([edge], {"edge1": variables})))
        setting_out = (
            "export ANSIBLE_COLLECTIONS_PATH=$(python3 collection/stage.py --path)",
            f"cd {shlex.quote(str(short_path))}",
            "ansible-playbook -i before.yml wirespeed.xdp.site",  # code to go back to
        )
        for command in setting_out:
            code, said = shell.run(command)
            assert code == 0, said
        yield shell


@deep
@requires_bpf
@requires_sshd
@requires("clang", "ethtool", "bpftool")
def test_the_demo_on_one_namespace_holds_all_that_it_claims() -> None:
    demo = ["make", "-s", "demo", "NODE=netns"]
    done = subprocess.run(demo, cwd=reader.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Every claim above was checked." in done.stdout, done.stdout + done.stderr


@deep
@requires_bpf
@requires_sshd
@requires("clang", "ethtool", "xdp-tools")
def test_the_playbooks_of_the_pages_run_in_this_order(on_a_control_node: Shell) -> None:
    for text in TYPED:
        code, said = on_a_control_node.run(text)
        assert code == 0, f"{SHOWN[text]}: `{text}` ended with {code}:\n{said[-2000:]}"
        assert not re.search(r"failed=[1-9]|unreachable=[1-9]", said), said
