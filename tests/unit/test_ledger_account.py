# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of numbered frames that the tests of reloads are judged by."""

from __future__ import annotations

import pytest

from tests.ledger.account import account


def test_each_frame_noted_once_is_lossless() -> None:
    found = account(bytes([1, 1, 1, 0]), taken=3, escaped=0)
    assert (found.once, found.twice, found.never, found.lossless) == (3, 0, 0, True)


def test_frames_that_the_nic_dropped_by_its_own_count_are_no_loss() -> None:
    assert account(bytes([1, 0, 1]), taken=3, escaped=0, nic_dropped=1).lossless


@pytest.mark.parametrize(
    ("seen", "taken", "escaped", "nic_dropped"),
    [
        pytest.param([1, 2, 1], 3, 0, 0, id="noted twice"),
        pytest.param([1, 0, 1], 3, 0, 0, id="never noted"),
        pytest.param([1, 1, 1], 3, 1, 0, id="noted and in the stack too"),
        pytest.param([1, 0, 1], 3, 1, 0, id="in the stack"),
        pytest.param([1, 0, 0], 3, 0, 1, id="more than the NIC dropped"),
        pytest.param([1, 1, 1], 3, 0, 1, id="fewer than the NIC dropped"),
        pytest.param([1, 1, 1, 1], 3, 0, 0, id="never sent"),
        pytest.param([1, 1], 3, 0, 0, id="no room in the ledger"),
        pytest.param([0, 0], 0, 0, 0, id="no traffic"),
    ],
)
def test_anything_else_is_loss(seen: "list[int]", taken: int, escaped: int, nic_dropped: int) -> None:
    assert not account(bytes(seen), taken, escaped, nic_dropped).lossless
