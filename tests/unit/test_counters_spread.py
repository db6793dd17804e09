# SPDX-License-Identifier: GPL-3.0-or-later
"""Queues against the indirection table."""

from __future__ import annotations

from wirespeed.counters.judge import Status
from wirespeed.counters.rss_check import FEWEST_PACKETS, check

EVEN = (0, 1, 2, 3) * 32


def test_frames_on_queues_outside_the_table_are_found() -> None:
    found = check({0: 500, 1: 500, 4: 400}, (0, 1) * 64, 100, "")
    assert found.status is Status.BROKEN
    assert (
        "400 of 1400 frames landed on queues [4], which are not in the indirection table (queues [0, 1])" in found.why
    )


def test_a_few_strays_prove_nothing() -> None:
    assert check({0: 3, 2: 1000}, (2,) * 128, 100, "").status is Status.HOLDS


def test_too_few_frames_prove_nothing() -> None:
    assert check({5: FEWEST_PACKETS - 1}, EVEN, 100, "").status is Status.TOO_LITTLE


def test_many_flows_on_one_queue_of_many_are_found() -> None:
    assert check({0: 1000, 1: 0, 2: 0, 3: 0}, EVEN, 100, "").status is Status.BROKEN


def test_one_queue_is_no_finding_without_enough_flows() -> None:
    assert check({0: 1000, 1: 0}, EVEN, 2, "").status is Status.TOO_LITTLE
    assert check({0: 1000, 1: 0}, EVEN, None, "").status is Status.TOO_LITTLE


def test_flows_that_spread_hold() -> None:
    assert check({0: 250, 1: 250, 2: 300, 3: 200}, EVEN, 100, "").status is Status.HOLDS


def test_a_table_of_one_queue_holds_with_any_number_of_flows() -> None:
    assert check({1: 1000}, (1,) * 128, None, "").status is Status.HOLDS


def test_a_driver_without_queue_counters_cannot_tell() -> None:
    found = check({}, EVEN, 100, "e1000e does not count at its ring")
    assert (found.status, "e1000e does not count" in found.why) == (Status.NOT_APPLICABLE, True)


def test_a_nic_without_a_table_cannot_tell() -> None:
    assert check({0: 1000}, None, 100, "").status is Status.NOT_APPLICABLE
