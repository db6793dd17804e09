# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents on a node, as the command line has them: apply, diff, show, history, rollback."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest
import yaml

from tests.pipelines import bundle_of, scrubber
from tests.probes import requires, requires_bpf
from wirespeed import cli, engine

from .conftest import Places
from .netns import Veth

pytestmark = [requires_bpf, requires("clang")]

FIRST: Dict[str, Any] = {
    "deny_v4": ["192.0.2.0/24"],
    "policies": [{"policy": 1, "countermeasures": ["rate_limit"], "rate": "10kpps"}],
    "customers_v4": [{"prefix": "198.51.100.0/24", "customer": 7, "policy": 1}],
}
SECOND: Dict[str, Any] = {
    **FIRST,
    "deny_v4": ["203.0.113.0/24"],
    "policies": [{"policy": 1, "countermeasures": ["rate_limit"], "rate": "20kpps"}],
}
Said = Tuple[int, str]
Say = Callable[..., Said]


@pytest.fixture
def say(veth: Veth, places: Places) -> Say:
    """``wirespeed config WORDS`` on a node that runs the scrubber: exit code and what was printed."""
    intent = {"nics": [{"name": veth.ifname, "pipeline": "scrubber"}], "pipelines": [{"name": "scrubber"}]}
    veth.node.run(engine.converge, intent, bundle_of(scrubber()), False)

    def on_node(words: List[str]) -> Said:
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            code = cli.main(["config", *words])
        return code, out.getvalue()

    return lambda *words: veth.node.run(on_node, [str(word) for word in words])  # type: ignore[no-any-return]


def written(folder: Path, tables: Dict[str, Any], name: str = "document.yml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump({"pipeline": "scrubber", "tables": tables}, sort_keys=False))
    return path


def rows(say: Say) -> Dict[str, Any]:
    tables = json.loads(say("show", "scrubber", "--json")[1])["tables"]
    return {name: found for name, found in tables.items() if found}


def test_a_document_is_compared_delivered_and_then_live(say: Say, tmp_path: Path) -> None:
    document = written(tmp_path, FIRST)
    assert say("diff", document)[0] == say("apply", document, "--check")[0] == 2
    assert rows(say) == {}
    code, told = say("apply", document)
    assert code == 0 and "Version 1 is live after nothing delivered" in told and "deny_v4: 1 added" in told
    assert rows(say)["deny_v4"] == ["192.0.2.0/24"] and rows(say)["policies"][0]["rate"] == "10kpps"
    assert say("diff", document) == (0, "Nothing differs.\n")
    assert say("apply", document) == (0, "Nothing to do: version 1 is live.\n")


def test_a_difference_names_each_row(say: Say, tmp_path: Path) -> None:
    say("apply", written(tmp_path, FIRST))
    code, told = say("diff", written(tmp_path, SECOND, "second.yml"))
    assert code == 2
    assert "  - 192.0.2.0/24\n" in told and "  + 203.0.113.0/24\n" in told
    assert "policies: 1 changed\n" in told and '"rate": "10kpps"' in told and '"rate": "20kpps"' in told


def test_what_is_shown_is_a_document_that_changes_nothing(say: Say, tmp_path: Path) -> None:
    say("apply", written(tmp_path, FIRST))
    shown = tmp_path / "shown.yml"
    shown.write_text(say("show", "scrubber")[1])
    assert say("apply", shown) == (0, "Nothing to do: version 1 is live.\n")


def test_an_empty_configuration_is_shown_as_a_document_too(say: Say, tmp_path: Path) -> None:
    assert yaml.safe_load(say("show", "scrubber")[1]) == {"pipeline": "scrubber", "schema": 1, "tables": {}}


def test_a_bundle_is_delivered_as_its_document_is(say: Say, tmp_path: Path) -> None:
    bundle = tmp_path / "first.bundle"
    assert say("compile", written(tmp_path, FIRST), "-o", bundle)[0] == 0
    assert say("apply", bundle)[0] == 0
    assert say("diff", written(tmp_path, FIRST)) == (0, "Nothing differs.\n")


def test_history_and_the_way_back(say: Say, tmp_path: Path) -> None:
    for number, tables in enumerate((FIRST, SECOND)):
        say("apply", written(tmp_path, tables), "--expect-version", number)
    code, told = say("rollback", "scrubber")
    assert code == 0 and "Version 3 is live after version 2" in told
    assert rows(say)["deny_v4"] == FIRST["deny_v4"]
    lines = say("history", "scrubber")[1].splitlines()
    assert [line[:3] for line in lines] == ["* 3", "- 2", "- 1"] and lines[0].endswith("back to 1")
    assert say("rollback", "scrubber", "--to", "2")[0] == 0 and rows(say)["deny_v4"] == SECOND["deny_v4"]


@pytest.mark.parametrize(
    ("tables", "parts"),
    [
        ({"deny_v4": ["192.0.2.1/24"]}, ["document.yml:4: ", "host bits"]),
        ({"deny_v5": []}, ["deny_v5", "deny_v4"]),
        ({"customers_v4": FIRST["customers_v4"]}, ["document.yml:4: ", "policies"]),
        ({"policies": [{"policy": 1, "rate": "fast"}]}, ["document.yml:4: ", "rate", "'fast'"]),
    ],
)
def test_a_mistake_is_told_with_its_line_and_nothing_is_changed(
    say: Say, tmp_path: Path, tables: Dict[str, Any], parts: List[str]
) -> None:
    say("apply", written(tmp_path, FIRST))
    before = rows(say)
    code, told = say("apply", written(tmp_path, tables))
    assert code == 1 and "Traceback" not in told
    assert [part for part in parts if part not in told] == []
    assert rows(say) == before


def test_another_version_than_expected_is_refused(say: Say, tmp_path: Path) -> None:
    say("apply", written(tmp_path, FIRST))
    code, told = say("apply", written(tmp_path, SECOND), "--expect-version", "0")
    assert code == 1 and "Version 0" in told and "version 1 is live" in told
    assert rows(say)["deny_v4"] == FIRST["deny_v4"]


def test_a_pipeline_that_does_not_run_here_is_told(say: Say, tmp_path: Path) -> None:
    path = tmp_path / "other.yml"
    path.write_text("pipeline: edge\ntables: {}\n")
    code, told = say("apply", path)
    assert code == 1 and "no pipeline 'edge' runs on this node" in told and "scrubber" in told
