# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: exit codes, and mistakes told with file, line and cure."""

from __future__ import annotations

import json
from pathlib import Path

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


@pytest.fixture
def facts(monkeypatch):
    """A captured node; whoever needs no node needs no root either."""
    monkeypatch.setattr(engine.os, "geteuid", lambda: 1000)
    return str(Path(__file__).parent / "facts" / "veth_node.json")


SCRUBBED = "nics: [{name: ws0, pipeline: scrubber}]\npipelines: [{name: scrubber, tables: {deny_v4: [192.0.2.0/24]}}]\n"


def test_a_plan_for_captured_facts_says_whose_they_are(intent, facts, capsys):
    assert main(["plan", "-f", intent("nics: [{name: ws0, tuning: {mtu: {mtu: 1400}}}]\n"), "--facts", facts]) == 2
    told = capsys.readouterr().out
    assert told.startswith("For edge1 as it was captured (kernel 6.18.44-amd64); no node was looked at.\n")
    assert "  1. ws0: set mtu: mtu 1500 -> 1400 - the intent asks for it (intent)" in told


def test_a_captured_node_that_is_as_wanted_gives_no_steps(intent, facts, capsys):
    wanted = SCRUBBED.replace("pipeline: scrubber}", "pipeline: scrubber, tuning: {rps: {cpus: none}}}")
    code = main(["plan", "-f", intent(wanted), "--facts", facts, "--json"])
    steps = json.loads(capsys.readouterr().out)["steps"]
    assert {step["action"] for step in steps} <= {
        "test",
        "load",
        "configure",
        "publish",
    }  # another build is another generation
    assert code == (2 if steps else 0)


def test_a_refused_plan_is_shown_whole_and_is_an_error(intent, facts, capsys):
    wanted = "nics: [{name: ws0, max_disruption: none, tuning: {channels: {tx: 2}}}]\n"
    assert main(["plan", "-f", intent(wanted), "--facts", facts]) == 1
    told = capsys.readouterr().out
    assert "1. ws0: set channels: tx 4 -> 2 [bounce]" in told and "refused: ws0: channels: set costs bounce" in told
    assert told.endswith("No step of this would be taken.\n")


def test_a_nic_that_was_not_captured_is_told_with_the_line(intent, facts, capsys):
    path = intent("nics:\n  - name: eth7\n")
    assert main(["plan", "-f", path, "--facts", facts]) == 1
    assert f"{path}:2: nics[0].name: 'eth7' is not on this node. It has: ws0 (veth" in capsys.readouterr().err


def test_gathered_is_an_intent_that_changes_nothing(intent, facts, capsys):
    assert main(["gather", "--facts", facts]) == 0
    path = intent(capsys.readouterr().out)
    assert main(["plan", "-f", path, "--facts", facts]) == 0
    assert capsys.readouterr().out.endswith("Nothing to do: the node is as wanted.\n")
