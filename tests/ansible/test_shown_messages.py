# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that pages show of what cannot be had here are worded as the engine words them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.documentation import held, page
from tests.unit.plan_cases import profile
from tests.unit.test_plan_stack import planned, upper
from wirespeed import report
from wirespeed.counters.gate import GateFailed, judge
from wirespeed.counters.health_window import HealthWindow
from wirespeed.diagnose import deep
from wirespeed.errors import WirespeedError
from wirespeed.gather import BUILT_IN_PROFILES
from wirespeed.model.claim import Claim, Conflict
from wirespeed.model.settings import Setting
from wirespeed.pipeline.checks import Bound, Health
from wirespeed.upgrade import text

TESTS = Path(__file__).resolve().parents[1]
OLD, NEW = "6.1.0-56-amd64", "6.12.117+deb12-amd64"


def test_each_block_that_a_test_holds_is_asked_for_by_one() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (TESTS / "ansible").glob("*.py"))
    blocks = [block for path in held.DOCS.glob("*.md") for block in page.blocks(path)]
    keys = {block.words["held"] for block in blocks if "held" in block.words}
    assert [key for key in sorted(keys) if f'"{key}"' not in tests] == []


def test_a_gate_that_fails() -> None:
    before = HealthWindow(10, {"pass": 48_210})
    after = HealthWindow(1.3, {"pass": 42_377, "malformed": 5_833}, ended_early=True)
    health = Health(10, verdicts={"malformed": Bound(max_share=0.02)})
    failed = GateFailed("edge", judge(before, after, health), before, after)
    held.is_worded(str(failed), "health.md", "a gate that failed")


def test_a_value_that_another_manager_sets_too() -> None:
    claim = Claim("tuned", "/etc/tuned/fast/tuned.conf", 12, "[net] ring", Setting.RINGS, "rx", 1024)
    said = str(Conflict("enp1s0", claim, 4096))
    held.is_worded(said, "managers.md", "another manager's value")


def test_members_of_a_bond_are_changed_one_after_the_other() -> None:
    rings = profile({Setting.RINGS: {"rx": 4096}})
    steps = planned({"enp1s0": rings, "enp2s0": rings}, upper(members="enp1s0 enp2s0")).steps
    costs = {"[bounce]": "[reset]"}  # the page's are of igb
    held.stands_in("\n".join(map(report.line, steps)), "planning.md", "a bond's members", costs)


@pytest.mark.parametrize(
    ("key", "differences"),
    [
        ("as foretold", []),
        ("a difference", [{"nic": "enp2s0", "key": "tuning rings.rx", "foretold": 256, "real": 1024}]),
    ],
)
def test_what_came_of_another_kernel(key: str, differences: List[Dict[str, Any]]) -> None:
    data = {"kernel": NEW, "foretold": OLD, "differences": differences, "untold": [], "left": []}
    held.stands_in("\n".join(text.compared(data)), "kernel_upgrade.md", key)


def test_what_another_kernel_changes_names_the_line_that_wants_it() -> None:
    (line,) = (each for each in held.text("kernel_upgrade.md", "an upgrade foretold").splitlines() if ".yml:" in each)
    name, number = line.rpartition("(")[2].rstrip(")").split(":")
    assert "indirection" in Path(BUILT_IN_PROFILES, name).read_text(encoding="utf-8").splitlines()[int(number) - 1]


def test_a_diagnosis_without_bcc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bcc", None)
    with pytest.raises(WirespeedError) as missing:
        deep._bcc()
    said = f"not seen: why the stack drops, and how late its softirqs begin: {missing.value}"
    held.is_worded(said, "diagnose.md", "without bcc")
