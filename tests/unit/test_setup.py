# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make setup` decides before it installs anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

import debian  # noqa: E402  (found by the line above)
import environment  # noqa: E402
import project  # noqa: E402
import setup  # noqa: E402


def groups(**changed: List[str]) -> Dict[str, List[str]]:
    return {"control": ["ansible-core"], "test": ["pytest"], "lint": ["ruff"], **changed}


def test_environment_of_other_requirements_is_another_one() -> None:
    assert environment.location(groups()) != environment.location(groups(lint=["ruff>=1"]))


def test_environment_of_the_same_requirements_is_the_same_one() -> None:
    assert environment.location(groups()) == environment.location(groups())


def test_cache_can_be_put_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WIRESPEED_CACHE", str(tmp_path))
    assert environment.location(groups()).parent == tmp_path


def test_half_built_environment_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    assert not environment.is_complete(tmp_path)


def test_every_group_that_is_installed_is_named_in_the_project() -> None:
    assert set(environment.GROUPS) <= set(project.read().pip)


def test_package_that_is_not_there_is_missing_once() -> None:
    assert debian.missing(["libc6", "no-such-package", "no-such-package"]) == ["no-such-package"]


def test_network_is_named_as_the_cause_when_servers_cannot_be_reached() -> None:
    assert "check the network" in debian._hint("E: Failed to fetch: Could not resolve 'deb.example'")


def test_progress_lines_of_apt_become_a_percentage() -> None:
    assert debian._progress("pmstatus:clang:40.1:Unpacking clang (amd64)") == "40 % Unpacking clang (amd64)"


def test_other_lines_of_apt_are_no_progress() -> None:
    assert debian._progress("Reading package lists...") is None


def test_unknown_group_is_refused_with_those_that_exist() -> None:
    command = [sys.executable, str(TOOLS / "setup.py"), "no-such-group"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (said.returncode, "there are target, " in said.stderr) == (2, True)


def test_large_groups_are_only_for_who_names_them() -> None:
    assert setup.usual(["target", "build", "browser", "lab", "lab_backports"]) == ["target", "build"]
