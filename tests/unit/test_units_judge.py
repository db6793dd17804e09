# SPDX-License-Identifier: GPL-3.0-or-later
"""``make units`` is green only where ansible-test has judged every file of tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

import units  # noqa: E402  (found by the line above)

UNIT = "ansible_collections.wirespeed.xdp.tests.unit"


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    for folder in ("tests/unit", "tests/output/junit"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("test_plan.py", "test_rates.py", "plan_cases.py"):
        (tmp_path / "tests/unit" / name).write_text("")
    return tmp_path


def reported(collection: Path, *classes: str) -> Path:
    cases = "".join(f'<testcase classname="{name}" name="test_it" time="0.1" />' for name in classes)
    report = collection / "tests/output/junit/python3.13-controller-units.xml"
    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return collection


def test_every_file_reported_is_all_judged(collection: Path) -> None:
    reported(collection, f"{UNIT}.test_plan", f"{UNIT}.test_rates.TestClass")
    assert units.false_green(collection, units.judged(collection)) == []


def test_a_file_without_a_test_in_the_report_is_named(collection: Path) -> None:
    reported(collection, f"{UNIT}.test_plan")
    assert units.false_green(collection, units.judged(collection)) == ["test_rates"]


def test_without_a_report_nothing_was_judged(collection: Path) -> None:
    assert units.judged(collection) == []
