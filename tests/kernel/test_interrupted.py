# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C in the middle of a run: what was begun is undone at once, and nobody sees a traceback."""

from __future__ import annotations

import io
import json
import signal
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest

from tests.probes import requires
from wirespeed import cli
from wirespeed.apply.journal import Journal
from wirespeed.model.step import Step

from .conftest import Places
from .netns import Veth

pytestmark = [requires("bpf")]

INTENT: Dict[str, Any] = {
    "nics": [{"name": "ws0", "pipeline": "scrubber", "tuning": {"mtu": {"mtu": 1400}}}],
    "pipelines": [{"name": "scrubber", "tables": {"deny_v4": ["192.0.2.0/24"]}}],
}


@pytest.fixture
def intent(tmp_path: Path) -> Path:
    file = tmp_path / "intent.yml"
    file.write_text(json.dumps(INTENT))
    return file


def apply(intent: Path, interrupted_at: int) -> Tuple[int, str]:
    """Exit code and what was said, of `wirespeed apply`, which gets SIGINT when it has noted that step (0: never)."""
    begin, left = Journal.begin, [interrupted_at]

    def noted(self: Journal, step: Step) -> int:
        index = begin(self, step)
        left[0] -= 1
        if left[0] == 0:
            signal.raise_signal(signal.SIGINT)
        return index

    Journal.begin = noted  # type: ignore[method-assign]
    out = io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(out):
            return cli.main(["apply", "-f", str(intent)]), out.getvalue()
    finally:
        Journal.begin = begin  # type: ignore[method-assign]


def state(veth: Veth) -> Tuple[Any, int]:
    link = veth.node.links()["ws0"]
    return link.get("xdp", {}).get("prog"), link["mtu"]


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6])
def test_ctrl_c_undoes_what_was_begun(veth: Veth, places: Places, intent: Path, step: int) -> None:
    before = state(veth)
    code, said = veth.node.run(apply, intent, step)
    assert code == 130 and said.startswith("wirespeed: interrupted. ") and "the node is as before" in said
    assert state(veth) == before and not (places.state / "journal").exists()
    code, said = veth.node.run(apply, intent, 0)
    assert code == 0 and "6 step(s) done." in said, "the run after it had something left to undo, or not all to do"
    assert state(veth) != before
