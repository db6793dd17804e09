# SPDX-License-Identifier: GPL-3.0-or-later
"""A small pipeline whose maps are filled by hand, and the scrubber with small maps."""

from __future__ import annotations

import struct
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Dict, Iterable, Iterator, List

from tests.pipelines import scrubber, small
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.map_health.reading import MapWatch
from wirespeed.model.map_health import MapUse
from wirespeed.pipeline import instance
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

ROOM = 1024
FRESH, OVER = 10, 100
"""Ages in seconds, of entries that are over after :data:`AFTER`."""
AFTER = 60
_NS = 1_000_000_000
_CODE = """
struct key { __u32 id; __u32 policy; };
struct flow { __u64 seen; };
struct {
	__uint(type, BPF_MAP_TYPE_%s);
	__uint(max_entries, %d);
	__type(key, struct key);
	__type(value, struct flow);
} flows SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} events SEC(".maps");
/* Puts in the flow that the frame's first bytes name, and counts. */
SEC("xdp") int small(struct xdp_md *ctx)
{
	struct key *key = (void *)(long)ctx->data;
	struct flow flow = {};
	__u64 *count;
	__u32 at;

	if ((void *)(key + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	flow.seen = bpf_ktime_get_ns();
	at = bpf_map_update_elem(&flows, key, &flow, BPF_NOEXIST) != 0;
	count = bpf_map_lookup_elem(&events, &at);
	if (count)
		(*count)++;
	return XDP_DROP;
}
char _license[] SEC("license") = "GPL";
"""
COUNTED: Dict[str, Any] = {"made": {"map": "events", "index": 0}, "failed": {"map": "events", "index": 1}}


def pipeline(kind: str = "HASH", room: int = ROOM, version: str = "1", **health: Any) -> PipelineSource:
    expires = {"member": "seen", "after": AFTER}
    flows = {"role": "state", "merge": "newest", "expires": expires, "health": health}
    return small(_CODE % (kind, room), maps={"flows": flows, "events": {"role": "stats"}}, version=version)


def small_scrubber(room: int = ROOM) -> PipelineSource:
    """With so many flows, buckets and verified sources."""
    source = scrubber()
    sized = {name: replace(source.manifest.maps[name], max_entries=room) for name in ("flows", "buckets", "verified")}
    return replace(source, manifest=replace(source.manifest, maps={**source.manifest.maps, **sized}), loaded_as="")


@contextmanager
def opened(source: PipelineSource, name: str = "flows") -> Iterator[BpfMap]:
    with instance.open_map(Paths.from_environment(), source.manifest.name, source.generation, name) as found:
        yield found


def key(number: int, policy: int = 0) -> bytes:
    return struct.pack("<II", number, policy)


def fill(source: PipelineSource, numbers: Iterable[int], age: int = FRESH, policy: int = 0) -> None:
    seen = struct.pack("<Q", max(0, time.clock_gettime_ns(time.CLOCK_MONOTONIC) - age * _NS))
    with opened(source) as flows:
        flows.update_many([(key(number, policy), seen) for number in numbers])


def empty(source: PipelineSource, numbers: Iterable[int]) -> None:
    with opened(source) as flows:
        flows.delete_many([key(number) for number in numbers])


def use(watch: MapWatch, name: str = "flows") -> MapUse:
    """The next reading of one map."""
    return {each.name: each for each in watch.read()}[name]


def came_and_went(found: MapUse, before: int) -> List[int]:
    """How many entries, whatever the time between the readings was: one of the two rates and the growth tell it."""
    assert found.entries is not None and found.inserted_per_s is not None and found.removed_per_s is not None
    grown, net = found.entries - before, found.inserted_per_s - found.removed_per_s
    seconds = grown / net
    return [round(found.inserted_per_s * seconds), round(found.removed_per_s * seconds)]
