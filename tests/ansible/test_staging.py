# SPDX-License-Identifier: GPL-3.0-or-later
"""Staging: the same content in the same place, other content in another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", ".*_cache", "*.tar.gz")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(ROOT, tmp_path / "checkout", symlinks=True, ignore=LEFT_OUT))


def stage(checkout: Path, cache: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(checkout / "collection" / "stage.py")]
    return subprocess.run(command, env={"WIRESPEED_CACHE": str(cache)}, capture_output=True, text=True, check=False)


def test_unchanged_content_is_installed_once(checkout: Path, tmp_path: Path) -> None:
    first = stage(checkout, tmp_path / "cache")
    assert first.returncode == 0, first.stderr
    installed = (Path(first.stdout.strip()) / "MANIFEST.json").stat().st_ino
    again = stage(checkout, tmp_path / "cache")
    assert again.stdout == first.stdout
    assert (Path(again.stdout.strip()) / "MANIFEST.json").stat().st_ino == installed


def test_changed_content_is_staged_beside_the_old(checkout: Path, tmp_path: Path) -> None:
    first = stage(checkout, tmp_path / "cache")
    profile = checkout / "plugins/module_utils/wirespeed/profiles/generic.yml"
    profile.write_text(profile.read_text() + "# changed\n")
    second = stage(checkout, tmp_path / "cache")
    assert second.stdout != first.stdout
    assert Path(first.stdout.strip()).is_dir()
    assert (
        Path(second.stdout.strip(), "plugins/module_utils/wirespeed/profiles/generic.yml")
        .read_text()
        .endswith("# changed\n")
    )


def test_a_checkout_without_compiled_objects_is_refused(checkout: Path, tmp_path: Path) -> None:
    for compiled in (checkout / "plugins/module_utils/wirespeed/objects").glob("*.bpf.o"):
        compiled.unlink()
    refused = stage(checkout, tmp_path / "cache")
    assert refused.returncode == 1
    assert "make -C bpf" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_version_that_nothing_asked_for_in_a_day_goes(checkout: Path, tmp_path: Path) -> None:
    old = tmp_path / "cache" / "collection" / "0123456789abcdef"
    recent = old.with_name("fedcba9876543210")
    for path in (old, recent):
        path.mkdir(parents=True)
    os.utime(old, (0, 0))
    assert stage(checkout, tmp_path / "cache").returncode == 0
    assert not old.exists()
    assert recent.exists()
