# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: skips that name the probe which failed."""

from __future__ import annotations

import pytest

from tests import probes


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requires(*probes): skip where a probe of tests/probes.py fails")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("requires"):
        for probe in mark.args:
            found = probes.failure(probe)
            if found:
                pytest.skip(f"probe {probe}: {found}")
