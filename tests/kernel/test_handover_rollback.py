# SPDX-License-Identifier: GPL-3.0-or-later
"""Back to the generation before, although the layout has changed meanwhile: what the newer one learned comes along."""

from __future__ import annotations

import pytest

from tests.probes import requires, requires_bpf
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.pipeline import instance
from wirespeed.pipeline.garbage import collect

from .conftest import Places
from .handover_cases import MEMBERS, Flow, fill, flows, load, opened, publish, read, reload, run_frame
from .pipelines_here import Node, publish_step

pytestmark = [requires_bpf, requires("clang")]

OTHER = "__u64 first_seen; __u32 mark; __u64 bytes; __u64 packets;"
FRAME = 60


@pytest.mark.parametrize("sdk", [True, False])
def test_a_rollback_keeps_what_the_newer_generation_learned(places: Places, sdk: bool) -> None:
    spec = {} if sdk else {"merge": "newest"}
    old, new = flows(sdk=sdk, **spec), flows(OTHER, sdk=sdk, **spec)
    reload(old)
    fill(old, {7: Flow(2, 20, 5)})
    reload(new)
    run_frame(7, 3)
    run_frame(8)
    publish(old)
    run_frame(8)
    assert read(old) == {7: Flow(5, 20 + 3 * FRAME, 5), 8: Flow(2, 2 * FRAME, 1)}


def test_a_rollback_finds_in_the_store_all_that_it_needs(places: Places) -> None:
    old, new = flows(), flows(OTHER)
    reload(old)
    reload(new)
    run_frame(7)
    collect(Node().paths)
    Node().do(publish_step("small", old.generation, new.generation).inverted())
    assert read(old) == {7: Flow(1, FRAME, 1)}


def test_there_and_back_again_and_again_counts_everything_once(places: Places) -> None:
    old, new = flows(), flows(OTHER)
    reload(old)
    load(new)
    for source in (new, old, new, old, new):
        publish(source)
        run_frame(7)
    assert read(new) == {7: Flow(5, 5 * FRAME, 1)}


def test_a_generation_that_runs_again_without_other_layouts_is_not_loaded_again(places: Places) -> None:
    old, new = flows(version="1"), flows(version="2")
    reload(old)
    before = instance.program_ids(Node().paths, "small", old.generation)
    reload(new)
    publish(old)
    assert instance.program_ids(Node().paths, "small", old.generation) == before


def test_a_generation_that_cannot_take_back_goes_on_with_what_it_knew(places: Places) -> None:
    """Its counter would have to become narrower; a rollback is done all the same."""
    old, new = flows(MEMBERS.replace("__u64 packets", "__u32 packets")), flows()
    reload(old)
    run_frame(7)
    reload(new)
    run_frame(7)
    publish(old)
    assert read(old)[7].packets < 2


def test_after_the_hand_over_neither_old_map_nor_second_lookup_stays(places: Places) -> None:
    old, new = flows(), flows(OTHER)
    reload(old)
    reload(new)
    node = Node()
    assert not node.paths.old("small", new.generation).exists()
    with BpfProgram.pinned(str(node.paths.program("small", new.generation, "small"))) as program:
        used = program.info.map_ids
    names = set()
    for number in used:
        with BpfMap.by_id(number) as found:
            names.add(found.info.name)
    with opened(old) as gone, opened(new) as here:
        assert here.info.id in used and gone.info.id not in used
    assert names == {"flows", "small.rodata"}
