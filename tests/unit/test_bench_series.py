# SPDX-License-Identifier: GPL-3.0-or-later
"""How the benchmarks turn rounds into figures."""

from __future__ import annotations

from typing import Callable, List

import pytest

from bench.series import Series, in_turn, times


def noted(calls: List[str], name: str) -> Callable[[], float]:
    """Returns how many calls there were by then."""
    return lambda: calls.append(name) or len(calls)


def test_every_way_has_its_turn_in_every_round() -> None:
    calls: List[str] = []
    in_turn({"a": noted(calls, "a"), "b": noted(calls, "b")}, 2)
    assert "".join(calls) == "ababab"


def test_the_first_round_is_not_counted() -> None:
    calls: List[str] = []
    assert in_turn({"a": noted(calls, "a")}, 2)["a"].values == [2, 3]


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    """A round in which the machine was busy disturbs both, so neither median alone may decide."""
    assert Series("ours", [1, 20, 3]).ratio(Series("theirs", [2, 40, 60])) == 0.5


@pytest.mark.parametrize(
    "rounds, told", [(200, "p99 198 ms"), (100, "p99 99 ms"), (99, "worst 99 ms"), (1, "worst 1 ms")]
)
def test_the_tail_is_the_worst_one_where_a_hundredth_is_less_than_a_round(rounds: int, told: str) -> None:
    assert Series("a", [number / 1000 for number in range(rounds, 0, -1)]).tail == told


@pytest.mark.parametrize("ratio, told", [(12.34, "x12.3"), (1.0, "x1.0"), (0.52, "x0.52"), (0.00312, "x0.0031")])
def test_two_digits_of_a_ratio_count(ratio: float, told: str) -> None:
    assert times(ratio) == told
