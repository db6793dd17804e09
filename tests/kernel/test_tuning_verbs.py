# SPDX-License-Identifier: GPL-3.0-or-later
"""``wirespeed tuning``: what the node's settings were, and back to it."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, Dict, Tuple

import pytest

from tests.pipelines import bundle_of
from wirespeed import cli, engine

from .conftest import Places
from .netns import Veth


def ask(veth: Veth, **tuning: Dict[str, Any]) -> None:
    nics = [{"name": "ws0", "tuning": tuning}]
    veth.node.run(engine.converge, {"nics": nics}, bundle_of(), False)


def said(veth: Veth, *words: str) -> Tuple[int, str]:
    """Exit code and what was printed, of ``wirespeed tuning WORDS``."""

    def on_node() -> Tuple[int, str]:
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            code = cli.main(["tuning", *words])
        return code, out.getvalue()

    code, text = veth.node.run(on_node)
    return int(code), str(text)


def mtu(veth: Veth) -> int:
    return int(veth.node.links()["ws0"]["mtu"])


@pytest.fixture
def twice(veth: Veth, places: Places) -> Veth:
    """MTU 1500 as found, 1400 in version 1, and 1300 in version 2."""
    ask(veth, mtu={"mtu": 1400})
    ask(veth, mtu={"mtu": 1300})
    return veth


def test_a_node_that_nobody_has_tuned_has_no_history(veth: Veth, places: Places) -> None:
    assert said(veth, "history") == (0, "No run has changed this node's settings.\n")
    assert said(veth, "rollback")[0] == 0


def test_the_history_has_what_each_change_found_and_marks_the_version_that_holds(twice: Veth) -> None:
    lines = said(twice, "history")[1].splitlines()
    assert [line[:4].strip() for line in lines[::2]] == ["* 2", "1", "0"]
    assert [line.strip() for line in lines[1::2]] == ["ws0: mtu.mtu was 1400", "ws0: mtu.mtu was 1500"]
    assert json.loads(said(twice, "history", "--json")[1])["known"] == [0, 1]


def test_a_rollback_without_a_version_undoes_the_last_change(twice: Veth) -> None:
    assert said(twice, "rollback")[0] == 0 and mtu(twice) == 1400
    assert ", back to 1" in said(twice, "history")[1].splitlines()[0]


def test_a_rollback_to_what_was_found(twice: Veth) -> None:
    assert said(twice, "rollback", "0")[0] == 0 and mtu(twice) == 1500


def test_check_shows_the_steps_and_takes_none(twice: Veth) -> None:
    code, text = said(twice, "rollback", "0", "--check")
    assert code == 2 and "1500" in text and mtu(twice) == 1300


def test_a_version_that_is_not_kept_is_refused_with_those_that_are(twice: Veth) -> None:
    code, text = said(twice, "rollback", "7")
    assert code == 1 and text.startswith("wirespeed: command line: VERSION: 7 is no version of this node's tuning.")
    assert "There are: 0, 1, 2." in text
    assert mtu(twice) == 1300
