# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line's group ``config``: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipelines import compiled as object_of
from tests.probes import requires
from tests.unit.config_cases import CODE, MAPS, TABLES, compiled
from wirespeed import cli
from wirespeed.config import bundle

pytestmark = requires("clang")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    manifest = {"manifest": 1, "name": "small", "version": "1", "entry": "small", "maps": MAPS}
    (tmp_path / "small.pipeline.yml").write_text(yaml.safe_dump(manifest))
    (tmp_path / "small.bpf.o").write_bytes(object_of(CODE))
    (tmp_path / "d.yml").write_text(yaml.safe_dump({"pipeline": "small", "tables": TABLES}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_schema_prints_the_json_schema_of_a_pipeline(folder: Path, capsys: Any) -> None:
    assert cli.main(["config", "schema", "small.pipeline.yml"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Configuration of pipeline small, schema 1"


def test_schema_of_no_pipeline_is_refused(folder: Path, capsys: Any) -> None:
    assert cli.main(["config", "schema", "nothing"]) == 1
    assert "command line: PIPELINE: there is no pipeline 'nothing'" in capsys.readouterr().err


def test_compile_writes_a_bundle_and_tells_rows_and_digest(folder: Path, capsys: Any) -> None:
    asked = ["config", "compile", "d.yml", "--manifest", "small.pipeline.yml", "-o", "d.bundle"]
    assert cli.main(asked) == 0
    digest = compiled(TABLES).digest
    out = capsys.readouterr().out
    assert "deny_v4: 2 rows\n" in out
    assert out.endswith(f"small, schema 1, digest {digest}\n")
    assert bundle.read(folder / "d.bundle").digest == digest


def test_compile_tells_machines_the_same(folder: Path, capsys: Any) -> None:
    assert cli.main(["config", "compile", "d.yml", "--manifest", "small.pipeline.yml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["digest"], told["rows"]["deny_v4"], told["file"]) == (compiled(TABLES).digest, 2, None)


def test_a_mistake_is_told_and_no_bundle_is_written(folder: Path, capsys: Any) -> None:
    (folder / "d.yml").write_text("pipeline: small\ntables:\n  ports: [x]\n  peers: [y]\n")
    asked = ["config", "compile", "d.yml", "--manifest", "small.pipeline.yml", "-o", "d.bundle"]
    assert cli.main(asked) == 1
    assert not (folder / "d.bundle").exists()
    told = capsys.readouterr().err
    assert "d.yml:4: table peers, row 1: 'y' is no IPv6 address" in told
    assert "d.yml:3: table ports, row 1: 'x' is no port" in told


def test_a_document_of_no_built_in_pipeline_says_its_line(folder: Path, capsys: Any) -> None:
    assert cli.main(["config", "compile", "d.yml"]) == 1
    assert "d.yml:1: pipeline: there is no pipeline 'small'" in capsys.readouterr().err
