# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries whose time is over are taken out of a pipeline's state, and no others."""

from __future__ import annotations

import struct
import time
from typing import Any, Dict, List

import pytest

from tests.pipelines import small
from tests.probes import requires, requires_bpf
from wirespeed import pipeline_engine
from wirespeed.errors import BadInput
from wirespeed.kernel import bpf_map
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.pipeline import expiry, instance

from .conftest import Places
from .pipelines_here import Node

pytestmark = [requires_bpf, requires("clang")]

DAY = 86400
NS = 1_000_000_000
CODE = """
struct flow {
	__u32 packets;
	__u64 seen;
};
struct {
	__uint(type, BPF_MAP_TYPE_KIND);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key = 7;

	return bpf_map_lookup_elem(&flows, &key) ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""


def pipeline(kind: str = "LRU_HASH", **expires: Any) -> Any:
    said = {"member": "seen", "after": DAY, **expires}
    return small(CODE.replace("KIND", kind), maps={"flows": {"role": "state", "expires": said}})


def filled(source: Any, ages: List[int]) -> Node:
    """A published pipeline with a flow of each age, in seconds; a negative one is of the future."""
    node = Node(source)
    node.run(source)
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    entries = [(struct.pack("<I", i), struct.pack("<IxxxxQ", 1, now - age * NS)) for i, age in enumerate(ages)]
    with instance.open_map(node.paths, "small", source.generation, "flows") as flows:
        flows.update_many(entries)
    return node


def left(node: Node, source: Any) -> List[int]:
    with instance.open_map(node.paths, "small", source.generation, "flows") as flows:
        return sorted(struct.unpack("<I", key)[0] for key, dummy in flows.items())


@pytest.mark.parametrize("kind", ["HASH", "LRU_HASH"])
def test_what_is_over_goes_and_the_rest_stays(places: Places, kind: str) -> None:
    source = pipeline(kind, after=10)
    node = filled(source, [0, 5, 11, -5, 20])
    checked: Dict[str, Any] = {"changed": True, "maps": {"flows": {"visited": 5, "removed": 2}}}
    assert pipeline_engine.swept("small", True) == checked and len(left(node, source)) == 5
    assert pipeline_engine.swept("small", False) == checked
    assert left(node, source) == [0, 1, 3]
    assert not pipeline_engine.swept("small", False)["changed"]


def test_more_entries_than_one_call_reads(places: Places) -> None:
    source = pipeline(after=10)
    node = filled(source, [0, 20] * (bpf_map.BATCH + 1))
    assert pipeline_engine.swept("small", False)["maps"]["flows"]["removed"] == bpf_map.BATCH + 1
    assert left(node, source) == list(range(0, 2 * bpf_map.BATCH + 2, 2))


def test_an_entry_that_was_renewed_meanwhile_stays(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a packet, between the look at all entries and the deletion of this one."""
    source = pipeline(after=10)
    node = filled(source, [20])

    def renewed(opened: BpfMap, key: bytes, at: int, after: int) -> bool:
        opened.update(key, struct.pack("<IxxxxQ", 2, time.clock_gettime_ns(time.CLOCK_MONOTONIC)))
        return remove(opened, key, at, after)

    remove = expiry._remove
    monkeypatch.setattr(expiry, "_remove", renewed)
    assert pipeline_engine.swept("small", False)["maps"]["flows"] == {"visited": 1, "removed": 0}
    assert left(node, source) == [0]


@pytest.mark.parametrize("wrong", [{"member": "packets"}, {"member": "gone"}])
def test_a_member_that_is_no_time_is_refused_with_those_that_are(wrong: Dict[str, str]) -> None:
    with pytest.raises(BadInput, match=r"maps\.flows\.expires\.member: .*There are: seen"):
        pipeline(**wrong)


def test_a_map_without_deletions_is_refused() -> None:
    with pytest.raises(BadInput, match="Only a hash or an LRU hash"):
        pipeline("ARRAY")


def test_a_pipeline_that_does_not_run_is_told(places: Places) -> None:
    with pytest.raises(BadInput, match="no pipeline 'small' runs on this node"):
        pipeline_engine.swept("small", False)
