# SPDX-License-Identifier: GPL-3.0-or-later
"""Which engine this is: of its files, of all of them, and of nothing else."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import List, Tuple

import pytest

from wirespeed import __version__, identity, packaged
from wirespeed.cli import main
from wirespeed.packaged import contents


@pytest.fixture
def package(tmp_path: Path) -> Path:
    made = tmp_path / "wirespeed"
    (made / "objects").mkdir(parents=True)
    (made / "cli.py").write_text("code\n")
    (made / "objects" / "root.bpf.o").write_bytes(b"object")
    return made


def listed(package: Path) -> List[Tuple[str, bytes]]:
    return list(contents(package))


def test_bytecode_and_what_an_editor_leaves_are_no_part_of_it(package: Path) -> None:
    before = listed(package)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "cli.cpython-311.pyc").write_bytes(b"compiled")
    (package / "cli.py~").write_text("older\n")
    assert listed(package) == before


def test_in_a_zip_file_it_is_the_same(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "one.pyz", "w") as packed:
        packed.writestr("__main__.py", "not of the package")
        for name, data in listed(package):
            packed.writestr(f"wirespeed/{name}", data)
    assert listed(tmp_path / "one.pyz" / "wirespeed") == listed(package)


def test_its_digest_is_that_of_the_lines_of_sha256sum() -> None:
    a, b = hashlib.sha256(b"a").hexdigest(), hashlib.sha256(b"b").hexdigest()
    lines = f"{a}  a.py\n{b}  b.py\n"
    assert identity.digest_of([("b.py", b), ("a.py", a)]) == hashlib.sha256(lines.encode()).hexdigest()


def test_a_changed_byte_is_another_engine(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    monkeypatch.setattr(identity, "contents", lambda: contents(package))
    before = identity.identity()
    (package / "cli.py").write_text("Code\n")
    after = identity.identity()
    assert after.digest != before.digest
    assert after.objects == before.objects


def test_the_command_names_each_object_with_its_manifests_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["version"] == __version__
    by_name = {each["name"]: each for each in said["objects"]}
    scrubber = (packaged.PACKAGE / "objects" / "scrubber.bpf.o").read_bytes()
    assert by_name["scrubber"]["digest"] == hashlib.sha256(scrubber).hexdigest()
    assert by_name["scrubber"]["version"] == "0.1.0"
    assert by_name["root"]["version"] is None


def test_the_command_says_where_objects_are_made_if_there_are_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(identity, "contents", lambda: [("cli.py", b"code")])
    assert main(["version"]) == 0
    assert "There is no compiled object: 'make bpf' makes them." in capsys.readouterr().out
