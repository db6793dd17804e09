# SPDX-License-Identifier: GPL-3.0-or-later
"""``wirespeed maps``: what it prints, and what its exit code says."""

from __future__ import annotations

import json
import re

import pytest

from tests.probes import requires, requires_bpf
from wirespeed import cli, map_engine, map_verbs

from .conftest import Places
from .map_health_cases import fill, pipeline
from .pipelines_here import Node

pytestmark = [requires_bpf, requires("clang")]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_verbs, "WINDOW", 0.01)


def test_each_map_has_its_line_with_whose_its_entries_are(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    source = pipeline(share_of="policy")
    Node(source).run(source)
    fill(source, range(30), policy=12)
    assert cli.main(["maps", "small"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^  flows +hash +30 +1024 +0\.0 +0\.0 +0 +- ok\n    policy 12: 30$", told, re.MULTILINE)


def test_a_map_that_is_too_full_is_told_by_the_exit_code(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    source = pipeline(warning="10%")
    Node(source).run(source)
    fill(source, range(200))
    assert cli.main(["maps"]) == 2
    assert "20% of the room is taken (warning from 10%)" in capsys.readouterr().out


def test_json_has_every_figure(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    source = pipeline()
    Node(source).run(source)
    assert cli.main(["maps", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["healthy"] and [each["name"] for each in told["maps"]] == ["events", "flows"]


def test_a_watch_tells_again_and_again(places: Places) -> None:
    source = pipeline()
    Node(source).run(source)
    readings = map_engine.watched("small", 0.01)
    entries = []
    for end in (10, 20):
        fill(source, range(end))
        entries.append(next(readings)["maps"][1]["entries"])
    readings.close()
    assert entries == [10, 20]


def test_without_a_pipeline_it_says_so(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["maps"]) == 0
    assert capsys.readouterr().out == "No pipeline runs here.\n"


def test_a_pipeline_that_does_not_run_is_an_error(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["maps", "smal"]) == 1
    assert "no pipeline 'smal' runs on this node. There are: none." in capsys.readouterr().err
