# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user installs: all that is needed at run time, and nothing else."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import List, Set

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINE = "plugins/module_utils/wirespeed"
SHIPPED_TOP = {
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSE",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "bindep.txt",
    "changelogs",
    "docs",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
    "tests",
}


@pytest.fixture(scope="module")
def members(collections: Path) -> List[tarfile.TarInfo]:
    (artifact,) = collections.glob("wirespeed-xdp-*.tar.gz")
    with tarfile.open(artifact) as tar:
        return tar.getmembers()


@pytest.fixture(scope="module")
def names(members: List[tarfile.TarInfo]) -> Set[str]:
    return {member.name for member in members}


def test_the_compiled_objects_ship_although_git_ignores_them(names: Set[str]) -> None:
    assert {f"{ENGINE}/objects/{name}.bpf.o" for name in ("root", "pass", "scrubber")} <= names


def test_every_manifest_and_data_file_of_the_engine_ships(names: Set[str]) -> None:
    data = [path for suffix in ("*.yml", "*.json") for path in (ROOT / ENGINE).rglob(suffix)]
    assert {str(path.relative_to(ROOT)) for path in data} <= names
    assert f"{ENGINE}/objects/scrubber.pipeline.yml" in names


def test_nothing_in_it_is_a_link(members: List[tarfile.TarInfo]) -> None:
    assert [member.name for member in members if member.issym() or member.islnk()] == []


def test_nothing_of_the_workshop_ships(names: Set[str]) -> None:
    assert {name.partition("/")[0] for name in names} - SHIPPED_TOP == set()


def test_of_the_tests_only_the_configuration_of_ansible_test_ships(names: Set[str]) -> None:
    assert {name for name in names if name.startswith("tests/")} == {"tests/config.yml"}


def test_no_bytecode_ships(names: Set[str]) -> None:
    assert [name for name in names if "__pycache__" in name or name.endswith(".pyc")] == []
