# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 anywhere between the publish and the end of the hand-over: the next call ends it, and adds nothing twice."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Tuple

import pytest

from tests.pipelines import small
from tests.probes import requires, requires_bpf
from wirespeed.kernel import bpffs
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.pipeline import carry, instance, root, succession
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .handover_cases import PROGRAM, SDK, Flow, fill, load, opened, publish, read, reload, run_frame
from .killing import killed_in
from .pipelines_here import Node

pytestmark = [requires_bpf, requires("clang")]

HITS = "WS_MAP(BPF_MAP_TYPE_ARRAY, hits, __u32, %s, 4, 0);"
SPEC = {"flows": {"role": "state", "sums": ["packets", "bytes"]}, "hits": {"role": "stats", "merge": "sum"}}
POINTS: "Dict[str, Tuple[Any, str, int]]" = {
    "before the publish": (root, "publish", 1),
    "after the publish": (succession, "wait_for_programs", 1),
    "before a map": (carry, "finish", 1),
    "between two maps": (carry, "finish", 2),
    "in the middle of a map": (BpfProgram, "run", 2),
    "after a map, before its pin is gone": (bpffs, "unpin", 1),
    "before it is loaded once more": (succession, "load_into", 1),
    "before its pins are one": (succession, "settle_pins", 3),
    "before its second publish": (root, "publish", 2),
    "after its second publish": (bpffs, "remove_tree", 1),
    "between its pins": (os, "replace", 1),
    "between further pins": (os, "replace", 3),
    "after its pins": (bpffs, "remove_tree", 2),
}


def pipeline(members: str, hit: str) -> PipelineSource:
    said = {"type": "BPF_MAP_TYPE_HASH", "entries": 64}
    code = PROGRAM % {"members": members, "map": SDK % said + HITS % hit, "get": "flows_lookup_or_init(&key, &fresh)"}
    return small(code, maps=SPEC)


def dying(source: PipelineSource, point: "Tuple[Any, str, int]") -> None:
    place, name, calls = point
    killed_in(lambda: publish(source), place, name, calls)


def hits(source: PipelineSource) -> int:
    with opened(source, "hits") as found:
        return int.from_bytes(found.lookup(b"\1\0\0\0") or b"", "little")


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("again", [publish, reload], ids=["publish", "reload"])
def test_the_next_call_ends_it_and_adds_nothing_twice(
    places: Places, point: str, again: "Callable[[PipelineSource], None]"
) -> None:
    old = pipeline("__u64 packets; __u64 bytes; __u64 first_seen;", "__u32")
    new = pipeline("__u64 first_seen; __u32 mark; __u64 packets; __u64 bytes;", "__u64")
    reload(old)
    fill(old, {7: Flow(70, 700, 5), 8: Flow(80, 800, 6)})
    with opened(old, "hits") as found:
        found.update(b"\1\0\0\0", (9).to_bytes(4, "little"))
    load(new)
    dying(new, POINTS[point])
    run_frame(7)
    again(new)
    assert (read(new), hits(new)) == ({7: Flow(71, 760, 5), 8: Flow(80, 800, 6)}, 9)
    home = Node().paths.generation("small", new.generation)
    assert sorted(path.name for path in home.iterdir()) == ["maps", "progs"]
    assert instance.published(Node().paths, "small") == new.generation


def test_a_reload_to_a_third_generation_ends_it_first(places: Places) -> None:
    sources = [
        pipeline("__u64 packets; __u64 bytes; __u64 first_seen;", "__u32"),
        pipeline("__u64 first_seen; __u32 mark; __u64 packets; __u64 bytes;", "__u64"),
        pipeline("__u64 packets; __u64 first_seen; __u64 bytes;", "__u64"),
    ]
    reload(sources[0])
    fill(sources[0], {7: Flow(70, 700, 5), 8: Flow(80, 800, 6)})
    load(sources[1])
    dying(sources[1], POINTS["before a map"])
    load(sources[2])
    assert not Node().paths.old("small", sources[1].generation).exists()
    publish(sources[2])
    assert read(sources[2]) == {7: Flow(70, 700, 5), 8: Flow(80, 800, 6)}
