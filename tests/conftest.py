# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: skips that name the probe which failed."""

from __future__ import annotations

from typing import Any, List

import pytest

from tests import probes
from tests.depth import DEEP

THIS_KERNEL = "this kernel"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requires(*probes): skip where a probe of tests/probes.py fails")
    config.addinivalue_line("markers", "deep: only in a deep run (tests/depth.py)")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Two workers (see the Makefile): each file of the lab goes to one of them, all that shares this kernel to one.

    A virtual machine keeps one processor busy, and touches nothing that the tests on this kernel look at. Not by
    xdist's own groups: pytest-xdist 3.8 writes them into ids that pytest 9.2 does not read, and tests go anywhere.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByKernel(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if file.startswith("tests/lab/") else THIS_KERNEL

        def _assign_work_unit(self, node: Any) -> None:
            """Few tests in a file of the lab are long ones. They come first: what is left for one worker at the end is
            short then."""
            first = min(self.workqueue, key=lambda scope: (scope != THIS_KERNEL, len(self.workqueue[scope])))
            self.workqueue.move_to_end(first, last=False)
            super()._assign_work_unit(node)

    return ByKernel(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    left = [] if DEEP else [item for item in items if item.get_closest_marker("deep")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


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
