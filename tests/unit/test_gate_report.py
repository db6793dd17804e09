# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a counter report reaches the health gate."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest

from tests.unit import counter_cases as cases
from wirespeed.counters.gate_report import judged, nic_window
from wirespeed.counters.health_window import Growth, NicWindow
from wirespeed.counters.judge import Facts, Status, judge
from wirespeed.counters.rawstats import RawStats
from wirespeed.counters.report import CounterReport, NicReport
from wirespeed.counters.rss_check import SpreadCheck
from wirespeed.counters.sandwich import Sandwich, Window, window
from wirespeed.counters.verdicts import VerdictReading
from wirespeed.model.nic import XdpMode


def seen(driver: str, start: RawStats, end: RawStats, judged_packets: Optional[int] = None) -> Window:
    """A quiet window between two readings."""
    ends = []
    for raw, count in ((start, 0), (end, judged_packets)):
        unified = cases.unified(driver, raw)
        verdicts: Optional[VerdictReading] = None if judged_packets is None else cases.verdicts(**{"pass": count or 0})
        ends.append(Sandwich(unified, unified, verdicts, quiet=True))
    return window(*ends)


def report(found: Window, problem: str = "", spread: Status = Status.HOLDS) -> NicReport:
    checks = tuple(judge(found, Facts(XdpMode.NATIVE, 1, 256)))
    return NicReport("eth1", "igb", "native", "root", found, checks, SpreadCheck(spread, "all on queue 7"), problem)


def igb(packets: int, **mac: int) -> RawStats:
    return cases.igb([{"packets": packets}], rx_packets=packets, **mac)


def e1000e(packets: int) -> RawStats:
    return RawStats(tuple(cases.lines(cases.IGB, rx_packets=packets)), {}, cases.link())


def test_errors_are_what_the_nic_tells_and_absent_is_not_zero() -> None:
    found = seen("igb", igb(10, rx_errors=3), igb(50, rx_errors=8))
    assert nic_window(report(found), 0) == NicWindow(40, {"error": Growth(5, 5), "xdp_aborted": None})


def test_aborted_frames_are_errors() -> None:
    start, end = (cases.vmxnet3([{"xdp aborted": aborted}]) for aborted in (1, 4))
    assert nic_window(report(seen("vmxnet3", start, end)), 0).errors["xdp_aborted"] == Growth(3, 3)


def test_under_traffic_frames_that_may_be_under_way_are_not_certain() -> None:
    found = replace(seen("igb", igb(0), igb(100)), quiet=False)
    assert nic_window(report(found), 0).frames == 100 - 64


@pytest.mark.parametrize(("functions", "quiet", "frames"), [(0, True, 90), (2, True, None), (0, False, None)])
def test_frames_at_a_port_count_only_where_they_must_be_this_nics(
    functions: int, quiet: bool, frames: Optional[int]
) -> None:
    found = replace(seen("e1000e", e1000e(10), e1000e(100)), quiet=quiet)
    assert nic_window(report(found), functions).frames == frames


def test_a_nic_whose_counters_began_anew_tells_why() -> None:
    told = nic_window(report(seen("igb", igb(50, rx_errors=9), igb(50, rx_errors=1))), 0)
    assert (told.frames, told.errors, "was reset" in told.why) == (None, {}, True)


def test_a_nic_that_does_not_carry_the_pipeline_tells_why() -> None:
    found = seen("igb", igb(10), igb(50, rx_errors=8))
    assert nic_window(report(found, "no XDP program is attached."), 0) == NicWindow(why="no XDP program is attached.")


def test_what_held_and_what_did_not_are_told_apart_from_what_nobody_knows() -> None:
    counted = report(seen("igb", igb(0), igb(40), 33))
    found = dict(judged(CounterReport((counted,), None, 1.0)))
    assert found["eth1: hook"] == ""
    assert "40 against 33, 7 frames apart" in found["eth1: every-frame-judged"]
    assert found["eth1: wire-explained"] == ""
    assert "eth1: every-run-judged" not in found  # igb does not count runs


def test_a_hook_of_another_holder_is_a_finding() -> None:
    lost = report(seen("igb", igb(0), igb(40), 40), "no XDP program is attached.")
    assert dict(judged(CounterReport((lost,), None, 1.0)))["eth1: hook"] == "eth1: no XDP program is attached."


def test_how_frames_spread_over_queues_is_no_concern_of_the_gate() -> None:
    askew = report(seen("igb", igb(0), igb(40), 40), spread=Status.BROKEN)
    assert not any(dict(judged(CounterReport((askew,), None, 1.0))).values())
