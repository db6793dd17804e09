# SPDX-License-Identifier: GPL-3.0-or-later
"""Sandwiches and windows: bounds, wraps, resets, and what makes two ends incomparable."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Dict, Iterator, List, Optional

from tests.unit import counter_cases as cases
from wirespeed.counters.rawstats import RawStats
from wirespeed.counters.sandwich import Sandwich, Window, settled, take, unwrapped, window
from wirespeed.counters.table import Counter, parse
from wirespeed.counters.unify import UnifiedCounters, unify
from wirespeed.counters.verdicts import VerdictReading
from wirespeed.errors import Place


def sandwich(
    first: RawStats, second: Optional[RawStats] = None, verdicts: Optional[VerdictReading] = None, life: str = "a"
) -> Sandwich:
    readings = [cases.unified("veth", raw) for raw in (first, second or first)]
    return Sandwich(readings[0], readings[1], verdicts, {"the XDP program": life}, 0, 0, second is None)


def packets(number: int) -> RawStats:
    return cases.veth([{"xdp_packets": number}], rx_packets=number)


def span(found: Window, counter: Counter = Counter.XDP_PACKETS) -> object:
    return found.spans[counter].low, found.spans[counter].high


def narrow(*values: int, width: int = 32) -> Window:
    """A window over one counter of ``width`` bits, read four times."""
    way = {"raw": ["dma"], "width": width, "meaning": "frames", "ref": "x"}
    table = parse({"nic_drop": [way]}, Place("x"))
    read = [unify(table, RawStats((("dma", value),)), (6, 12)) for value in values]
    return window(Sandwich(read[0], read[1], None), Sandwich(read[2], read[3], None))


def test_a_quiet_window_is_exact() -> None:
    assert span(window(sandwich(packets(5)), sandwich(packets(12)))) == (7, 7)


def test_traffic_at_the_edges_gives_bounds() -> None:
    found = window(sandwich(packets(5), packets(6)), sandwich(packets(12), packets(15)))
    assert span(found) == (6, 10)
    assert not found.quiet


def test_what_is_subtracted_widens_the_bounds_the_other_way() -> None:
    start = sandwich(
        cases.veth([{"xdp_packets": 10, "xdp_drops": 1}]), cases.veth([{"xdp_packets": 11, "xdp_drops": 2}])
    )
    end = sandwich(cases.veth([{"xdp_packets": 20, "xdp_drops": 5}]), cases.veth([{"xdp_packets": 23, "xdp_drops": 6}]))
    assert span(window(start, end), Counter.XDP_PASS) == (9 - 5, 13 - 3)


def test_a_counter_that_went_back_invalidates_the_window() -> None:
    found = window(sandwich(packets(500)), sandwich(packets(3)))
    assert not found.spans[Counter.XDP_PACKETS].known
    assert "ethtool_s:rx_queue_{q}_xdp_packets of queue 0 went back from 500 to 3: it was reset" in found.invalid


def test_queues_that_came_invalidate_the_window() -> None:
    found = window(sandwich(cases.veth([{}])), sandwich(cases.veth([{}, {}])))
    assert any("queues came or went" in reason for reason in found.invalid)


def test_another_program_invalidates_the_window() -> None:
    found = window(sandwich(packets(1), life="native program 7"), sandwich(packets(2), life="native program 8"))
    assert found.invalid == ("the XDP program changed from 'native program 7' to 'native program 8'",)


def test_a_new_verdict_map_invalidates_the_window() -> None:
    start = sandwich(packets(1), verdicts=cases.verdicts(map_id=7))
    found = window(start, sandwich(packets(2), verdicts=cases.verdicts(map_id=9)))
    assert "the verdict map was replaced (id 7, now 9)" in found.invalid[0]


def test_a_counter_of_32_bits_may_wrap() -> None:
    assert span(narrow(2**32 - 10, 2**32 - 10, 5, 5), Counter.NIC_DROP) == (15, 15)


def test_a_counter_of_48_bits_may_wrap() -> None:
    assert span(narrow(2**48 - 1, 2**48 - 1, 1, 1, width=48), Counter.NIC_DROP) == (2, 2)


def test_a_narrow_counter_that_falls_from_its_lower_half_was_reset() -> None:
    assert "was reset" in narrow(1000, 1000, 5, 5).invalid[0]


def test_a_counter_of_64_bits_never_wraps() -> None:
    assert "was reset" in narrow(2**64 - 1, 2**64 - 1, 5, 5, width=64).invalid[0]


def test_a_counter_may_wrap_more_than_once_in_a_window() -> None:
    assert unwrapped([2**32 - 2, 1, 2**32 - 1, 0], 32) == [2**32 - 2, 2**32 + 1, 2**33 - 1, 2**33]


def test_an_absent_counter_keeps_its_reason_in_the_window() -> None:
    found = window(sandwich(packets(1)), sandwich(packets(2))).spans[Counter.WIRE_PACKETS]
    assert (found.low, found.high, "has no wire" in found.why) == (None, None, True)


def test_per_queue_growth_is_told() -> None:
    start, end = (cases.veth([{"xdp_packets": a}, {"xdp_packets": b}]) for a, b in ((1, 2), (4, 2)))
    found = window(sandwich(start), sandwich(end)).spans[Counter.XDP_PACKETS]
    assert dict(found.queues) == {0: (3, 3), 1: (0, 0)}


def test_maps_are_read_between_two_readings_of_every_nic() -> None:
    order: List[str] = []

    def nic(name: str) -> UnifiedCounters:
        order.append(name)
        return cases.unified("veth", packets(1))

    def maps() -> VerdictReading:
        order.append("maps")
        return cases.verdicts()

    take({"a": lambda: nic("a"), "b": lambda: nic("b")}, maps, lambda name: {}, count().__next__)
    assert order == ["a", "b", "maps", "a", "b"]


def readings_of(*numbers: int) -> Iterator[Dict[str, Sandwich]]:
    return ({"ws0": replace(sandwich(packets(number)), quiet=False)} for number in numbers)


def test_settling_waits_until_nothing_moves() -> None:
    series = readings_of(1, 5, 9, 9)
    pauses: List[None] = []
    found = settled(series.__next__, lambda: pauses.append(None), tries=10)["ws0"]
    assert (found.quiet, found.second.value(Counter.XDP_PACKETS), len(pauses)) == (True, 9, 3)


def test_settling_gives_up_under_steady_traffic() -> None:
    found = settled(readings_of(*range(9)).__next__, lambda: None, tries=3)["ws0"]
    assert (found.quiet, found.second.value(Counter.XDP_PACKETS)) == (False, 3)
