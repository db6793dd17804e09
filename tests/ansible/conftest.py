# SPDX-License-Identifier: GPL-3.0-or-later
"""The staged collection, and Ansible's commands on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, Sequence

import pytest

from tests import playbook

from . import releases

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Control:
    """A control node whose only collection is the staged one. ``work`` is its working folder."""

    collections: Path
    work: Path

    @property
    def collection(self) -> Path:
        return self.collections / "ansible_collections" / "wirespeed" / "xdp"

    def environment(self, **more: str) -> Dict[str, str]:
        """Of Ansible's commands."""
        return {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_INJECT_INVOCATION": "1",  # ansible-core 2.21 repeats arguments in results only then, 2.20 always
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_LOCAL_TEMP": str(self.work / "tmp"),
            "ANSIBLE_REMOTE_TEMP": str(self.work / "remote"),
            "WIRESPEED_CACHE": str(self.work / "cache"),
            **more,
        }

    def run(self, program: str, *arguments: str, inside: Sequence[str] = (), **environment: str) -> Answer:
        """``inside`` is a command that runs the rest of its arguments as a command."""
        command = [*inside, str(BIN / program), *arguments]
        done = subprocess.run(
            command, cwd=self.work, env=self.environment(**environment), capture_output=True, text=True, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def module(self, name: str, options: Dict[str, Any], *flags: str, inside: Sequence[str] = ()) -> Answer:
        """One task on this machine, through the real Ansiballz."""
        arguments = ["-i", "localhost,", "-c", "local", "localhost", "-m", f"wirespeed.xdp.{name}"]
        return self.run("ansible", *arguments, "-a", json.dumps(options), *flags, inside=inside)


@pytest.fixture(scope="session")
def collections() -> Path:
    return Path(playbook.collections_path())


@pytest.fixture
def control(collections: Path, tmp_path: Path) -> Control:
    return Control(collections, tmp_path)


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> releases.Release:
    """What a release of this checkout consists of."""
    return releases.first(tmp_path_factory.mktemp("released"))


@pytest.fixture(scope="session")
def released_again(released: releases.Release, tmp_path_factory: pytest.TempPathFactory) -> releases.Release:
    """The same by somebody else."""
    return releases.second(released, tmp_path_factory.mktemp("again"))


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder of the test's own with a short path: a socket's has at most 107 bytes, and Ansible's for SSH is long."""
    with tempfile.TemporaryDirectory(prefix="ws-") as folder:
        yield Path(folder)
