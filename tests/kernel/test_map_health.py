# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps that are filled on purpose: what is told of them is true, and a warning comes before they are full."""

from __future__ import annotations

import struct
import time
from dataclasses import replace
from typing import List, Set, Tuple

import pytest

from tests.probes import requires, requires_bpf
from wirespeed.errors import BadInput, KernelRefusal
from wirespeed.kernel import libbpf
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.map_health.reading import MapWatch
from wirespeed.model.map_health import Level
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource
from wirespeed.pipeline.support import Support

from .conftest import Places
from .handover_cases import wait_until
from .map_health_cases import (
    COUNTED,
    OVER,
    ROOM,
    came_and_went,
    empty,
    fill,
    key,
    opened,
    pipeline,
    small_scrubber,
    use,
)
from .pipelines_here import Node, configure_step

pytestmark = [requires_bpf, requires("clang")]


def watch(source: PipelineSource, walk: bool = True) -> MapWatch:
    return MapWatch.begin(Paths.from_environment(), source.manifest.name, walk)


def live(source: PipelineSource) -> PipelineSource:
    Node(source).run(source)
    return source


@pytest.mark.parametrize("kind", ["HASH", "LRU_HASH"])
def test_entries_what_is_over_and_whose_they_are(places: Places, kind: str) -> None:
    source = live(pipeline(kind, share_of="policy"))
    fill(source, range(300), policy=12)
    fill(source, range(40), age=OVER, policy=7)
    with watch(source) as watching:
        found = use(watching)
    assert (found.entries, found.expired, dict(found.shares)) == (340, 40, {"12": 300, "7": 40})
    assert (found.type, found.max_entries, found.share_of) == (kind.lower(), ROOM, "policy")


def test_the_scrubbers_flows_buckets_and_entities(places: Places) -> None:
    source = live(small_scrubber())
    ages = (10, 90_000, 90_000)  # seconds; a flow is over after a day
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    with opened(source) as flows, opened(source, "buckets") as buckets, opened(source, "entities") as entities:
        for number, age in enumerate(ages):
            flow = struct.pack("=16s16sHHIHH", b"", b"", number, 443, 1121 if number else 12, 4, 6)
            flows.update(flow, struct.pack("=QQ", max(0, now - age * 10**9), 2))
        buckets.update(struct.pack("=16sII", b"", 12, 4), struct.pack("=Q", now + 10**12))
        entities.update(struct.pack("=IIHH", 601, 1121, 3, 0), entities.spread(bytes(16)))
    with watch(source) as watching:
        found = {each.name: each for each in watching.read()}
    over = sum(now > age * 10**9 for age in ages[1:])  # a machine that is up for less than a day knows no such flow
    assert (found["flows"].entries, dict(found["flows"].shares)) == (3, {"1121": 2, "12": 1})
    assert found["flows"].expired == over
    assert (found["buckets"].entries, found["buckets"].expired, dict(found["buckets"].shares)) == (1, 0, {"12": 1})
    assert (found["entities"].entries, dict(found["entities"].shares)) == (1, {"1121": 1})
    assert (found["deny_v4"].entries, found["verdicts"].type) == (0, "percpu_array")


def test_rows_of_a_table_are_those_of_the_live_side(places: Places) -> None:
    source = small_scrubber()
    node = Node(source)
    node.run(source, deny_v4=["192.0.2.0/24", "198.51.100.0/24"])
    with watch(source) as watching:
        assert use(watching, "deny_v4").entries == 2
        node.do(configure_step(source, "deny_v4", ["203.0.113.0/24"], ["192.0.2.0/24", "198.51.100.0/24"]))
        assert use(watching, "deny_v4").entries == 1


def test_what_came_and_went_by_the_keys_alone(places: Places) -> None:
    source = live(pipeline())
    fill(source, range(400))
    with watch(source) as watching:
        assert use(watching).inserted_per_s is None
        empty(source, range(30))
        fill(source, range(400, 450))
        assert came_and_went(use(watching), 400) == [50, 30]
        fill(source, range(450, 460))
        assert came_and_went(use(watching), 420) == [10, 0]


def test_what_the_pipeline_counts_is_known_also_when_it_is_gone(places: Places) -> None:
    source = live(pipeline(**COUNTED))
    with watch(source) as watching:
        use(watching)
        _send(source, range(100))
        empty(source, range(60))
        assert came_and_went(use(watching), 0) == [100, 60]


def test_entries_without_room_are_told(places: Places) -> None:
    source = live(pipeline(room=16, **COUNTED))
    with watch(source) as watching:
        use(watching)
        _send(source, range(20))
        found = use(watching)
    assert (found.entries, found.update_failures, found.level) == (16, 4, Level.CRITICAL)
    assert "4 entries found no room since the reading before" in found.why


def test_a_warning_comes_before_the_map_is_full(places: Places) -> None:
    source = live(pipeline(full_within="0s"))
    levels: List[Tuple[int, Level]] = []
    with watch(source) as watching:
        for end in range(0, ROOM + 1, 64):
            fill(source, range(end))
            levels.append((end, use(watching).level))
        last = use(watching)
    first = {level: end for end, level in reversed(levels)}
    assert first == {Level.OK: 0, Level.WARNING: 768, Level.CRITICAL: 960}
    assert "no new entry finds room" in last.why


def test_a_map_that_fills_is_warned_of_long_before(places: Places) -> None:
    source = live(pipeline(full_within="1d"))
    with watch(source) as watching:
        fill(source, range(100))
        assert use(watching).level is Level.OK
        fill(source, range(100, 200))
        found = use(watching)
    assert found.level is Level.WARNING and found.full_in_s is not None and "at this rate" in found.why


def test_a_full_lru_map_evicts_and_is_critical_unless_its_entries_are_over(places: Places) -> None:
    source = live(pipeline("LRU_HASH", room=8192))
    fill(source, range(20_000))
    with watch(source) as watching:
        found = use(watching)
        assert found.level is Level.CRITICAL and "evicts" in found.why and found.full_in_s == 0.0
        fill(source, range(20_000, 40_000), age=OVER)
        found = use(watching)
    assert found.expired == found.entries and (found.level, found.why) == (Level.OK, "")


def test_after_a_reload_a_map_that_was_taken_over_keeps_its_rates(places: Places) -> None:
    source, following = pipeline(), pipeline(version="2")
    live(source)
    fill(source, range(100))
    with watch(source) as watching:
        use(watching)
        live(following)
        fill(following, range(100, 130))
        assert came_and_went(use(watching), 100) == [30, 0]


def test_after_a_reload_that_made_the_map_larger_rates_begin_anew(places: Places) -> None:
    source, following = pipeline(), pipeline(room=2 * ROOM)
    live(source)
    fill(source, range(100))
    with watch(source) as watching:
        use(watching)
        live(following)
        found = use(watching)
        assert (found.max_entries, found.entries, found.inserted_per_s) == (2 * ROOM, 100, None)


def test_without_a_walk_the_kernel_says_how_many(places: Places) -> None:
    source = live(pipeline(share_of="policy", **COUNTED))
    with watch(source, walk=False) as watching:
        use(watching)
        _send(source, range(50))
        empty(source, range(20))
        found = use(watching)
    assert (found.entries, found.expired, dict(found.shares)) == (30, None, {})
    assert came_and_went(found, 0) == [50, 20]


def test_where_entries_cannot_be_looked_at_their_number_is_read(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*dummy: object) -> None:
        raise KernelRefusal("bpf_link_create", 22)

    source = live(pipeline())
    fill(source, range(100))
    monkeypatch.setattr("wirespeed.kernel.bpf_iter.Iterator.create", refused)
    with watch(source) as watching:
        found = use(watching)
    assert (found.entries, found.expired) == (100, None) and "cannot be looked at one by one" in found.why


def test_a_generation_that_came_without_our_programs_is_counted_all_the_same(places: Places) -> None:
    source = pipeline()
    live(replace(source, support=Support(source.support.root, source.support.root_frags)))
    fill(source, range(100))
    with watch(source) as watching:
        assert use(watching).entries == 100


def test_nothing_is_left_in_the_kernel(places: Places) -> None:
    source = live(pipeline(share_of="policy"))
    before = _owned()
    with watch(source) as watching:
        watching.read()
        made = _owned() - before
    assert made
    assert wait_until(lambda: not made & _owned())  # a map is freed a grace period later


def test_a_pipeline_that_does_not_run_is_told(places: Places) -> None:
    with pytest.raises(BadInput, match="no pipeline 'small' runs on this node"):
        MapWatch.begin(Paths.from_environment(), "small")


def _send(source: PipelineSource, numbers: range) -> None:
    pin = Paths.from_environment().program(source.manifest.name, source.generation, "small")
    with BpfProgram.pinned(str(pin)) as program:
        for number in numbers:
            program.test_run(key(number).ljust(14, b"\0"))


def _owned() -> Set[int]:
    """Ids of the maps that a watch has for itself."""
    found = set()
    for number in libbpf.ids("bpf_map_get_next_id"):
        try:
            with BpfMap.by_id(number) as each:
                if each.info.name in ("prints", "owners", "counts", "walk.bss"):
                    found.add(number)
        except KernelRefusal:  # gone meanwhile
            continue
    return found


def test_a_map_that_a_reload_keeps_is_judged_by_the_new_manifest(places: Places) -> None:
    old, new = pipeline(), pipeline(version="2", warning="10%")
    live(old)
    fill(old, range(200))
    with watch(old) as watching:
        assert use(watching).level is Level.OK
        Node(old, new).run(new)
        found = use(watching)
    assert (found.level, found.entries) == (Level.WARNING, 200)
    assert found.inserted_per_s is not None  # what was read before still counts


def test_a_map_that_a_new_manifest_asks_more_of_is_watched_from_the_beginning(places: Places) -> None:
    old, new = pipeline(), pipeline(version="2", share_of="policy")
    live(old)
    fill(old, range(30), policy=12)
    with watch(old) as watching:
        assert use(watching).shares == {}
        Node(old, new).run(new)
        assert use(watching).shares == {"12": 30}
