# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: exit codes, and mistakes told with file, line and cure."""

from __future__ import annotations

import pytest

from wirespeed import engine
from wirespeed.cli import main


@pytest.fixture
def intent(tmp_path):
    def write(text):
        path = tmp_path / "intent.yml"
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture(autouse=True)
def as_root(monkeypatch):
    """Mistakes in the intent are told before anything that needs root."""
    monkeypatch.setattr(engine.os, "geteuid", lambda: 0)


@pytest.mark.parametrize("verb", ["plan", "apply", "verify", "counters"])
def test_a_misspelt_key_is_told_with_file_and_line(intent, capsys, verb):
    path = intent("nics:\n  - name: lo\n    pipline: scrubber\n")
    assert main([verb, "-f", path]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"wirespeed: {path}:3: nics[0].pipline: ") and "Did you mean 'pipeline'?" in told


def test_broken_yaml_is_told_with_its_line(intent, capsys):
    path = intent("nics: [\n")
    assert main(["plan", "-f", path]) == 1
    assert f"{path}:2: is not valid YAML" in capsys.readouterr().err


def test_an_absent_file_is_told(tmp_path, capsys):
    assert main(["plan", "-f", str(tmp_path / "none.yml")]) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err


def test_an_unknown_pipeline_is_told_with_the_built_in_ones(intent, capsys):
    path = intent("nics: []\npipelines:\n  - name: scrubbr\n")
    assert main(["plan", "-f", path]) == 1
    assert "Built-in pipelines: pass, scrubber" in capsys.readouterr().err


def test_without_root_it_says_what_to_do(intent, capsys, monkeypatch):
    monkeypatch.setattr(engine.os, "geteuid", lambda: 1000)
    assert main(["apply", "-f", intent("nics: []\n")]) == 1
    assert "needs root" in capsys.readouterr().err
