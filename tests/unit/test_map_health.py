# SPDX-License-Identifier: GPL-3.0-or-later
"""From two readings of a map: rates, when it will be full, and how bad that is."""

from __future__ import annotations

from typing import Any

import pytest

from wirespeed.kernel.bpf_map import ARRAY, HASH, LRU_HASH, NO_COMMON_LRU
from wirespeed.map_health.judge import SHARES, Reading, Subject, judged
from wirespeed.map_health.prints import Prints
from wirespeed.model.map_health import Level, MapUse
from wirespeed.pipeline.map_limits import MapLimits

SIZE = 10_000
HASHES = Subject("edge", "flows", HASH, SIZE)
LRU = Subject("edge", "flows", LRU_HASH, SIZE, cpus=2)
LIMITS = MapLimits()


def seen(at: float, entries: int, **more: Any) -> Reading:
    return Reading(at, entries, **more)


def after(*readings: Reading, subject: Subject = HASHES, limits: MapLimits = LIMITS) -> MapUse:
    """Of one or two readings."""
    return judged(subject, limits, readings[0] if len(readings) > 1 else None, readings[-1])


def test_one_reading_gives_no_rates_and_no_forecast() -> None:
    use = after(seen(0, 100))
    assert (use.entries, use.inserted_per_s, use.removed_per_s, use.full_in_s) == (100, None, None, None)


def test_what_the_pipeline_counts_is_what_came() -> None:
    """Also what was gone again by the second reading."""
    use = after(seen(0, 100, made=1000), seen(10, 120, made=1500, fresh=30))
    assert (use.inserted_per_s, use.removed_per_s) == (50.0, 48.0)


def test_without_counters_what_is_new_is_what_came() -> None:
    use = after(seen(0, 100), seen(10, 90, fresh=20))
    assert (use.inserted_per_s, use.removed_per_s) == (2.0, 3.0)


def test_entries_of_another_hand_came_too() -> None:
    use = after(seen(0, 100, made=7), seen(10, 150, made=7))
    assert (use.inserted_per_s, use.removed_per_s) == (5.0, 0.0)


def test_where_nothing_tells_new_from_old_rates_are_unknown() -> None:
    use = after(seen(0, 100), seen(10, 90))
    assert (use.inserted_per_s, use.removed_per_s) == (None, None)


def test_two_readings_at_one_moment_give_no_rates() -> None:
    assert after(seen(1, 100), seen(1, 200, fresh=100)).inserted_per_s is None


def test_the_forecast_is_a_straight_line() -> None:
    assert after(seen(0, 1000), seen(10, 2000)).full_in_s == 80.0


@pytest.mark.parametrize("entries", [1000, 500])
def test_a_map_that_does_not_grow_has_no_forecast(entries: int) -> None:
    assert after(seen(0, 1000), seen(10, entries)).full_in_s is None


@pytest.mark.parametrize(
    ("entries", "level"), [(6999, Level.OK), (7000, Level.WARNING), (8999, Level.WARNING), (9000, Level.CRITICAL)]
)
def test_the_level_goes_by_the_share_of_the_map(entries: int, level: Level) -> None:
    assert after(seen(0, entries)).level is level


def test_thresholds_are_the_manifests() -> None:
    assert after(seen(0, 2000), limits=MapLimits(warning=0.1, critical=0.2)).level is Level.CRITICAL


def test_a_map_that_will_soon_be_full_is_warned_of() -> None:
    use = after(seen(0, 1000), seen(10, 2000))
    assert use.level is Level.WARNING and use.why == "full in 80 s at this rate"


def test_a_map_that_will_be_full_some_day_is_not() -> None:
    assert after(seen(0, 1000), seen(10, 1001)).level is Level.OK


def test_an_entry_without_room_is_critical_and_told() -> None:
    use = after(seen(0, 100, failed=3), seen(10, 100, failed=5))
    assert use.level is Level.CRITICAL and use.update_failures == 5
    assert use.why == "2 entries found no room since the reading before"


def test_entries_that_had_no_room_long_ago_are_only_counted() -> None:
    use = after(seen(0, 100, failed=5), seen(10, 100, failed=5))
    assert use.level is Level.OK and use.update_failures == 5


def test_a_hash_with_entries_that_are_over_is_as_full_as_with_others() -> None:
    use = after(seen(0, SIZE, expired=9000))
    assert use.level is Level.CRITICAL and "no new entry finds room" in use.why


def test_an_lru_map_full_of_entries_that_are_over_is_well() -> None:
    assert after(seen(0, SIZE, expired=9000), subject=LRU).level is Level.OK


def test_an_lru_map_full_of_others_evicts() -> None:
    use = after(seen(0, SIZE - 200, expired=0), subject=LRU)
    assert use.level is Level.CRITICAL and use.full_in_s == 0.0 and "evicts" in use.why


def test_cpus_keep_free_entries_of_an_lru_map_for_themselves() -> None:
    """kernel/bpf/bpf_lru_list.c: 128 for each CPU of a common list, of a small map half of it at most."""
    assert LRU.room == SIZE - 256
    assert Subject("edge", "flows", LRU_HASH, 100, cpus=64).room == 50
    assert Subject("edge", "flows", LRU_HASH, SIZE, NO_COMMON_LRU, 2).room == SIZE - 8


def test_an_array_is_neither_full_nor_empty() -> None:
    use = after(seen(0, 18), subject=Subject("edge", "verdicts", ARRAY, 18))
    assert (use.level, use.entries, use.full_in_s, use.why) == (Level.OK, 18, None, "an array has all its entries")


def test_what_cannot_be_told_is_none_and_says_why() -> None:
    use = after(Reading(0, unknown="nobody counts them"))
    assert (use.entries, use.level, use.why) == (None, Level.OK, "nobody counts them")


def test_the_biggest_shares_come_first_and_not_all_of_them() -> None:
    use = after(seen(0, 100, owners={owner: owner for owner in range(100)}), limits=MapLimits(share_of="policy"))
    assert list(use.shares.items())[:2] == [("99", 99), ("98", 98)]
    assert len(use.shares) == SHARES and use.share_of == "policy"


def test_the_first_walk_knows_no_new_keys() -> None:
    assert Prints.for_entries(1000).turn(1000, 1000) is None


def test_keys_missed_because_another_ones_bit_was_set_are_reckoned_in() -> None:
    prints = Prints(words=10)
    prints.turn(160, 10 * 32**2)  # half of the bits of each word: a quarter of new keys find both of theirs set
    assert prints.turn(75, 0) == 100


def test_the_sides_change_places_with_each_walk() -> None:
    prints = Prints.for_entries(1000)
    sides = [prints.side]
    prints.turn(0, 0)
    assert [*sides, prints.side] == [0, 1]


@pytest.mark.parametrize(("entries", "bits"), [(1, 1 << 20), (1 << 20, 1 << 25), (1 << 32, 1 << 29)])
def test_memory_for_prints_goes_by_the_size_of_the_map(entries: int, bits: int) -> None:
    assert Prints.for_entries(entries).side_bytes == bits // 8
