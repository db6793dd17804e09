# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as one file: the same for the same collection, and whole without one."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Dict

import pytest

from tests.probes import requires

from .conftest import Control


def built(control: Control, temporary: str) -> Path:
    """Where the lookup puts it; Ansible's own temporary folder goes with its process, so the file is copied out."""
    target = control.work / f"{temporary}.pyz"
    copy = {"src": "{{ lookup('wirespeed.xdp.engine') }}", "dest": str(target), "mode": "0755"}
    arguments = ["-i", "localhost,", "-c", "local", "localhost", "-m", "ansible.builtin.copy", "-a", json.dumps(copy)]
    answer = control.run("ansible", *arguments, ANSIBLE_LOCAL_TEMP=str(control.work / temporary))
    assert answer.code == 0, answer.said
    return target


@pytest.fixture
def engine(control: Control) -> Path:
    return built(control, "first")


def run(engine: Path, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """By the system's Python, with nothing of the collection in reach."""
    settings: Dict[str, str] = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = ["/usr/bin/python3", str(engine), *words]
    return subprocess.run(command, cwd="/", env={**settings, **more}, capture_output=True, text=True, check=False)


def test_it_is_the_same_each_time(control: Control, engine: Path) -> None:
    assert built(control, "second").read_bytes() == engine.read_bytes()


def test_it_says_its_version(engine: Path) -> None:
    assert re.fullmatch(r"wirespeed \d+\.\d+\.\d+\n", run(engine, "--version").stdout)


def test_it_knows_the_profiles(engine: Path, tmp_path: Path) -> None:
    done = run(engine, "facts", "lo", "--json", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "generic" in json.loads(done.stdout)["nics"]["lo"]["profile"]
    assert list(tmp_path.glob("wirespeed-*")) == []


def test_it_knows_the_pipelines(engine: Path, tmp_path: Path) -> None:
    intent = tmp_path / "intent.yml"
    intent.write_text("nics: [{name: lo}]\npipelines: [{name: scrubbr}]\n")
    assert "Built-in pipelines: pass, scrubber" in run(engine, "plan", "-f", str(intent)).stderr


@requires("root")
@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("restore", "Nothing to restore: no run has stored anything in {}/state/desired.json.\n"),
        ("uninstall", "Nothing of Wirespeed is on this node.\n"),
    ],
)
def test_it_needs_no_data_files_to_restore_and_uninstall(engine: Path, tmp_path: Path, verb: str, said: str) -> None:
    places = {f"WIRESPEED_{word}": str(tmp_path / word.lower()) for word in ("BPFFS", "CACHE", "RUN", "STATE")}
    done = run(engine, verb, TMPDIR=str(tmp_path / "none"), **places)
    assert (done.returncode, done.stdout, done.stderr) == (0, said.format(tmp_path), "")
