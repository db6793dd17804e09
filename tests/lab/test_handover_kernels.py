# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries state into another layout passes the verifier of every kernel here, and does there what it does at home.

One pipeline with a map of each way: fetched by the program, copied, summed per CPU, and verdicts by their names.
"""

from __future__ import annotations

import base64
from typing import Any, Callable, Dict

import pytest

from tests.depth import kernels
from tests.pipelines import small, support
from wirespeed.pipeline.source import PipelineSource

from . import Node
from .agent import Agent

PROGRAM = """
enum { %(verdicts)s, VERDICTS };
WS_VERDICTS(VERDICTS);
struct flow { %(members)s };
WS_STATE(BPF_MAP_TYPE_LRU_HASH, fetched, __u32, struct flow, %(entries)d);
WS_MAP(BPF_MAP_TYPE_HASH, copied, __u32, struct flow, %(entries)d, 0);
WS_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, summed, __u32, __u64, %(entries)d, 0);
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct flow fresh = { .first = %(first)d };
	struct flow *flow = fetched_lookup_or_init(&key, &fresh);
	struct flow *copy;
	__u64 *sum = bpf_map_lookup_elem(&summed, &key);

	bpf_map_update_elem(&copied, &key, &fresh, BPF_NOEXIST);
	copy = bpf_map_lookup_elem(&copied, &key);
	if (flow)
		__sync_fetch_and_add(&flow->packets, 1);
	if (copy)
		__sync_fetch_and_add(&copy->packets, 1);
	if (sum)
		*sum += 1;
	return ws_verdict(ctx, SEEN, XDP_PASS);
}
char _license[] SEC("license") = "GPL";
"""
MAPS = {
    "fetched": {"role": "state", "sums": ["packets"]},
    "copied": {"role": "state", "merge": "newest"},
    "summed": {"role": "stats", "merge": "sum"},
    "verdicts": {"role": "stats"},
}
FRAME = bytes(60).hex()


def generation(first: int, members: str, entries: int, *verdicts: str) -> PipelineSource:
    said = {"verdicts": ", ".join(verdicts).upper(), "members": members, "entries": entries, "first": first}
    named = [{"name": name, "action": "pass"} for name in verdicts]
    return small(PROGRAM % said, maps=MAPS, verdicts=named)


def spelt(source: PipelineSource) -> "Dict[str, Any]":
    return {"manifest": source.manifest.to_json(), "object": base64.b64encode(source.object_bytes).decode()}


@pytest.mark.parametrize("kernel", kernels("WIRESPEED_HANDOVER_KERNELS", "6.12"))
def test_every_way_works_on_every_kernel(node: Callable[..., Node], kernel: str, record_property: Any) -> None:
    generations = [
        generation(7, "__u64 packets; __u64 first;", 8, "seen", "other"),
        generation(8, "__u64 first; __u64 mark; __u64 packets;", 16, "other", "more", "seen"),
        generation(9, "__u64 packets; __u64 first;", 32, "seen"),
    ]
    agent = Agent(node(kernel, "virtio"), "handover_agent.py")
    try:
        told = agent.request(
            support={name: base64.b64encode(code).decode() for name, code in support().parts.items()},
            frame=FRAME,
            generations=[spelt(each) for each in generations],
        )
    finally:
        agent.close()
    record_property("told", f"three layouts on Linux {told['kernel']}")
    maps = told["maps"]
    assert (maps["fetched"], maps["copied"]) == ({"1": [3, 7]}, {"1": [3, 7]})
    assert (maps["summed"]["1"], maps["verdicts"]) == ([3], {"0": [3, 180]})
