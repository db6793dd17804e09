# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole reloads under traffic, and an account of every single frame: judged once, twice, never, or not at all.

WIRESPEED_RELOADS says how many reloads; 1000 are the promise.
"""

from __future__ import annotations

from typing import Callable

import pytest

from tests.depth import times
from tests.ledger.reloads import Ledger, wait_until
from tests.ledger.stack import Stack
from tests.probes import requires, requires_bpf

from .conftest import Places
from .netns import Veth
from .numbered import METHODS, PROGRESS, Built, built_in, in_traffic

pytestmark = [requires_bpf, requires("clang")]

RELOADS = times("WIRESPEED_RELOADS", usual=100, promised=1000)
GAPS = 5


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built_in(tmp_path_factory.mktemp("ledger"))


def reload(ledger: Ledger, dummy: Stack) -> None:
    """What the new generation needs is there before it is published; the NIC keeps its attachment."""
    actions = ledger.reload()
    assert actions.index("load") < actions.index("configure") < actions.index("publish")
    assert "attach" not in actions


@pytest.mark.parametrize("method", METHODS)
def test_reloads_lose_nothing(
    veth: Veth, places: Places, built: Built, method: str, record_property: Callable[[str, object], None]
) -> None:
    found = in_traffic(veth, built, method, reload, RELOADS)
    record_property("told", f"{RELOADS} reloads on veth by {method}: {found}")
    assert found.lossless, found
    assert found.once == found.taken >= RELOADS * PROGRESS


@pytest.mark.parametrize("method", METHODS)
def test_detach_and_attach_is_seen_in_the_account(
    veth: Veth, places: Places, built: Built, method: str, record_property: Callable[[str, object], None]
) -> None:
    """The same account can fail: this is what a reload costs that takes the program off meanwhile."""

    def gap(ledger: Ledger, stack: Stack) -> None:
        before = stack.frames
        ledger.detach()
        wait_until(lambda: stack.frames > before, "a frame that nothing filters")
        ledger.reload()

    found = in_traffic(veth, built, method, gap, GAPS)
    record_property("told", f"{GAPS} times detach and attach on veth by {method}: {found}")
    assert found.never >= found.escaped > 0
    assert not found.lossless
