# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make dist` makes: the same bytes for the same commit, wherever and by whomever."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

import pytest

from tests.documentation import held
from tests.probes import requires

from . import releases
from .releases import ROOT, Release

pytestmark = requires("clone", "clang", "dpkg-deb", "ansible")


def digests(release: Release) -> Dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in release.dist.iterdir()}


def test_two_clones_of_a_commit_give_the_same_bytes(released: Release, released_again: Release) -> None:
    assert digests(released_again) == digests(released)


def test_it_is_an_artifact_a_wheel_a_debian_package_a_bill_and_their_sums(released: Release) -> None:
    endings = sorted(name.rpartition("0.1.0")[2] for name in digests(released))
    assert endings == ["-py3-none-any.whl", ".cdx.json", ".tar.gz", "SHA256SUMS", "_all.deb"]
    told = {line.split()[0] for line in held.text("packaging.md", "the files of a release").splitlines()}
    assert told == set(digests(released))


def test_the_sums_are_as_sha256sum_reads_them(released: Release) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=released.dist, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": OK") == 4


def test_a_file_that_is_not_committed_is_told_and_left_out(released_again: Release) -> None:
    assert "plugins/modules/stray.py is not as in the commit" in released_again.said
    with tarfile.open(released_again.file("*.tar.gz")) as tar:
        assert "plugins/modules/stray.py" not in tar.getnames()


def test_nothing_in_it_names_the_place_where_it_was_built(released: Release) -> None:
    place = str(released.clone).encode()
    assert [name for name, data in files(released) if place in data] == []


def files(release: Release) -> Iterator[Tuple[str, bytes]]:
    with tarfile.open(release.file("*.tar.gz")) as tar:
        for member in tar.getmembers():
            file = tar.extractfile(member)
            yield member.name, file.read() if file else b""
    with zipfile.ZipFile(release.file("*.whl")) as wheel:
        yield from ((name, wheel.read(name)) for name in wheel.namelist())


def test_all_of_the_artifact_is_as_old_as_the_commit(released: Release) -> None:
    when = int(releases.git(released.clone, "log", "-1", "--format=%ct"))
    with tarfile.open(released.file("*.tar.gz")) as tar:
        assert {member.mtime for member in tar.getmembers()} == {when}


def test_all_of_the_artifact_is_the_superusers(released: Release) -> None:
    with tarfile.open(released.file("*.tar.gz")) as tar:
        assert {(member.uid, member.gid, member.uname, member.gname) for member in tar.getmembers()} == {(0, 0, "", "")}


def test_the_wheel_has_the_objects_that_the_artifact_has(released: Release) -> None:
    found: Dict[str, set[bytes]] = {}
    for name, data in files(released):
        if name.endswith(".bpf.o"):
            found.setdefault(Path(name).name, set()).add(data)
    assert {"root.bpf.o", "scrubber.bpf.o"} <= found.keys()
    assert [name for name, contents in found.items() if len(contents) != 1] == []


def identity(package: Path) -> Dict[str, Any]:
    """What `wirespeed version` says where ``package``, a folder or a zip file, has the engine."""
    program = (
        f"import sys; sys.path.insert(0, {str(package)!r}); from wirespeed.cli import main; main(['version', '--json'])"
    )
    said = subprocess.run(["/usr/bin/python3", "-Bc", program], cwd="/", check=True, stdout=subprocess.PIPE)
    return dict(json.loads(said.stdout))


def test_every_form_of_it_is_the_same_engine_to_the_byte(released: Release, tmp_path: Path) -> None:
    with tarfile.open(released.file("*.tar.gz")) as tar:
        tar.extractall(tmp_path / "artifact")
    subprocess.run(["dpkg-deb", "--extract", str(released.file("*.deb")), str(tmp_path / "package")], check=True)
    wheel = identity(released.file("*.whl"))
    assert identity(tmp_path / "artifact" / "plugins/module_utils") == wheel
    assert identity(tmp_path / "package/usr/lib/python3/dist-packages") == wheel


@pytest.fixture
def without_commits(tmp_path: Path) -> Path:
    kept = shutil.ignore_patterns(".git", "build", "__pycache__", ".*_cache")
    return Path(shutil.copytree(ROOT, tmp_path / "copy", symlinks=True, ignore=kept))


def test_without_a_commit_nothing_is_released(without_commits: Path) -> None:
    done = releases.made(without_commits, GIT_CEILING_DIRECTORIES=str(without_commits.parent))
    assert done.returncode == 1
    assert "A release is made of a commit, in a clone of the repository" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (without_commits / "build").exists()


def test_a_time_that_is_none_is_refused(released: Release) -> None:
    done = releases.made(released.clone, SOURCE_DATE_EPOCH="yesterday")
    assert done.returncode == 1
    assert "SOURCE_DATE_EPOCH is 'yesterday'" in done.stderr
