# SPDX-License-Identifier: GPL-3.0-or-later
"""A document of the scrubber itself, with references between its tables, on a node that runs it."""

from __future__ import annotations

import io
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
Said = Tuple[int, str]
Say = Callable[..., Said]


@pytest.fixture
def say(veth: Veth, places: Places) -> Say:
    """``wirespeed config WORDS`` on a node that runs the scrubber: exit code and what was printed."""
    return saying(veth)


def saying(veth: Veth, **asked: Any) -> Say:
    """``asked`` stands in the intent's entry for the pipeline."""
    intent = {"nics": [{"name": veth.ifname, "pipeline": "scrubber"}], "pipelines": [{"name": "scrubber", **asked}]}
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


def test_a_document_is_delivered_and_shown_as_one_that_changes_nothing(say: Say, tmp_path: Path) -> None:
    code, told = say("apply", written(tmp_path, FIRST))
    assert code == 0 and "Version 1 is live" in told
    shown = tmp_path / "shown.yml"
    shown.write_text(say("show", "scrubber")[1])
    live = yaml.safe_load(shown.read_text())["tables"]
    assert live["deny_v4"] == FIRST["deny_v4"] and live["customers_v4"] == FIRST["customers_v4"]
    assert live["policies"][0]["rate"] == "10kpps" and live["policies"][0]["countermeasures"] == ["rate_limit"]
    assert say("apply", shown) == (0, "Nothing to do: version 1 is live.\n")


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
    before = say("show", "scrubber")
    code, told = say("apply", written(tmp_path, tables))
    assert code == 1 and "Traceback" not in told
    assert [part for part in parts if part not in told] == []
    assert say("show", "scrubber") == before


def test_rows_that_the_program_does_not_look_at_are_told(veth: Veth, places: Places, tmp_path: Path) -> None:
    say = saying(veth, constants={"with_policies": False})
    code, told = say("apply", written(tmp_path, FIRST))
    assert code == 0
    (warning,) = [line for line in told.splitlines() if line.startswith("warning: ")]
    assert "Nothing reads the rows of customers_v4 (1) and policies (1): the constant with_policies is 0." in warning
