# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: skips that name the probe which failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import probes


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "xdist_group(name): tests that one worker runs, in their order")
    config.addinivalue_line("markers", "requires(*probes): skip where a probe of tests/probes.py fails")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: "list[pytest.Item]") -> None:
    """Two workers (see the Makefile): each file of the lab goes to one of them, all that shares this kernel to one.

    First of all, since pytest-xdist writes the groups into the items' ids in this same hook.
    A virtual machine keeps one processor busy, and touches nothing that the tests on this kernel look at.
    """
    lab = Path(__file__).parent / "lab"
    for item in items:
        group = item.path.name if lab in item.path.parents else "this kernel"
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("requires"):
        for probe in mark.args:
            found = probes.failure(probe)
            if found:
                pytest.skip(f"probe {probe}: {found}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests want told of what they measured: record_property("told", TEXT)."""
    for report in terminalreporter.stats.get("passed", []):
        for name, text in report.user_properties:
            if name == "told":
                terminalreporter.write_line(str(text))
