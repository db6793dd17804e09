# SPDX-License-Identifier: GPL-3.0-or-later
"""The role prerequisites on this machine, whose /etc and mounts it cannot change: it runs in a mount namespace."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml

from tests.probes import requires

from .conftest import Answer, Control
from .test_modules import result

ROOT = Path(__file__).resolve().parents[2]

# /etc under a throw-away layer, and no BPF file system.
PRIVATE = """
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
while grep -q ' /sys/fs/bpf bpf ' /proc/self/mounts; do umount /sys/fs/bpf; done
exec "$@"
"""
INSIDE = ["unshare", "--mount", "sh", "-ec", PRIVATE, "sh"]

ROLE = {
    "hosts": "all",
    "gather_facts": False,
    "roles": [{"role": "wirespeed.xdp.prerequisites"}],
}


def play(control: Control, plays: List[Dict[str, Any]], **variables: Any) -> Answer:
    (control.work / "play.yml").write_text(yaml.safe_dump(plays))
    arguments = ["-i", "localhost,", "-c", "local", "-e", json.dumps(variables), "play.yml"]
    return control.run("ansible-playbook", *arguments, inside=INSIDE)


def recap(answer: Answer, word: str) -> int:
    (count,) = re.findall(rf"{word}=(\d+)", answer.out)
    return int(count)


@requires("root")
def test_the_bpf_file_system_is_mounted_lastingly_and_only_once(control: Control) -> None:
    look: Dict[str, Any] = {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {"ansible.builtin.slurp": {"src": path}, "register": name}
            for name, path in (("mounts", "/proc/self/mounts"), ("fstab", "/etc/fstab"))
        ]
        + [
            {
                "ansible.builtin.assert": {
                    "that": [
                        "(mounts.content | b64decode).count(' /sys/fs/bpf bpf ') == 1",
                        "(fstab.content | b64decode).count('bpf /sys/fs/bpf bpf ') == 1",
                    ]
                }
            }
        ],
    }
    answer = play(control, [ROLE, ROLE, look])
    assert answer.code == 0, answer.said
    assert recap(answer, "changed") == 2  # the entry and the mount, in the first play


@pytest.fixture
def bare_python(tmp_path: Path) -> str:
    """A Python that sees none of the system's modules."""
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    return str(tmp_path / "bare" / "bin" / "python")


@requires("root")
def test_what_is_missing_is_named_with_its_packages_where_none_may_be_installed(
    control: Control, bare_python: str
) -> None:
    answer = play(control, [ROLE], ansible_python_interpreter=bare_python, prerequisites_install=False)
    assert answer.code == 2
    assert re.search(r"localhost lacks pyroute2, pyudev, ethtool, jinja2, yaml, jsonschema", answer.said)
    assert "python3-pyroute2, python3-pyudev" in answer.said
    assert recap(answer, "changed") == 0


def test_what_a_python_lacks_is_named_by_that_python(control: Control, bare_python: str) -> None:
    answer = control.module(
        "prerequisites_info", {"bpffs": "/sys/fs/bpf"}, "-e", f"ansible_python_interpreter={bare_python}"
    )
    assert {"pyroute2", "pyudev", "jinja2"} <= set(result(answer)["missing"])


def test_nothing_is_missing_on_the_systems_python(control: Control) -> None:
    assert result(control.module("prerequisites_info", {"bpffs": "/sys/fs/bpf"}))["missing"] == []


@requires("root", "bpf", "libbpf")
def test_a_node_that_lacks_something_tells_it_instead_of_failing_where_that_is_asked_for(control: Control) -> None:
    wanted = {"nics": [{"name": "lo"}], "when_lacking": "tell"}
    answer = control.module("node", wanted, inside=INSIDE)
    assert answer.code == 0, answer.said
    assert result(answer)["lacking"]["bpffs"] is False


@requires("root", "bpf", "libbpf")
def test_the_role_node_gives_a_node_what_it_lacks_and_then_brings_it_there(control: Control) -> None:
    roles = [{"role": "wirespeed.xdp.node", "vars": {"node_nics": [{"name": "lo"}], "node_prerequisites": True}}]
    answer = play(control, [{**ROLE, "roles": roles}])
    assert answer.code == 0, answer.said
    assert "changed: [localhost]" in answer.out.split("Mount the BPF file system now")[1]
    assert "ok: [localhost]" in answer.out.split("which lacks nothing now")[1]


def test_the_role_and_the_project_name_the_same_debian_packages() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["wirespeed"]["apt"]["target"]
    role = yaml.safe_load((ROOT / "roles/prerequisites/vars/main.yml").read_text())
    assert sorted(role["prerequisites_known_packages"]["Debian"].values()) == sorted(project)
