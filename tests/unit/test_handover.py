# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of each map is decided from layouts and manifests alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional, Sequence

import pytest

from tests.pipelines import small
from tests.probes import requires
from wirespeed.errors import Refused
from wirespeed.pipeline.handover import Hand, Way, decide, declared
from wirespeed.pipeline.manifest import Manifest
from wirespeed.pipeline.source import PipelineSource

pytestmark = requires("clang")

PROGRAM = """
struct value { %s };
%s
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key = 0;
	return bpf_map_lookup_elem(&flows, &key) ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""
SDK = "WS_STATE(%s, flows, %s, struct value, %d);"
PLAIN = "WS_MAP(%s, flows, %s, struct value, %d, 0);"
A = "__u64 packets; __u32 mark;"
B = "__u32 mark; __u64 packets;"
HASH, LRU = "BPF_MAP_TYPE_HASH", "BPF_MAP_TYPE_LRU_HASH"
ARRAY, PERCPU_ARRAY, PERCPU = "BPF_MAP_TYPE_ARRAY", "BPF_MAP_TYPE_PERCPU_ARRAY", "BPF_MAP_TYPE_PERCPU_HASH"


def source(
    members: str = A, how: str = PLAIN, kind: str = HASH, key: str = "__u32", entries: int = 16, **spec: Any
) -> PipelineSource:
    return small(PROGRAM % (members, how % (kind, key, entries)), maps={"flows": {"role": "state", **spec}})


def hand(old: PipelineSource, new: PipelineSource) -> Hand:
    (found,) = decide(new, {"flows": declared(old, "flows")}, old.manifest)
    return found


def refusal(old: PipelineSource, new: PipelineSource) -> str:
    with pytest.raises(Refused) as refused:
        hand(old, new)
    return str(refused.value)


@pytest.mark.parametrize("policy", ["convert", "refuse", "reset"])
@pytest.mark.parametrize("how", [SDK, PLAIN])
def test_the_same_layout_is_shared_whatever_the_policy(how: str, policy: str) -> None:
    assert hand(source(how=how), source(how=how, on_layout_change=policy)) == Hand("flows", Way.SHARE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (source, lambda: source(B, SDK)),
        (source, lambda: source(how=SDK, entries=32)),
        (source, lambda: source(how=SDK, kind=LRU)),
        (lambda: source(B, SDK), lambda: source(A, SDK, merge="newest")),
    ],
)
def test_a_map_of_the_sdk_fetches_its_entries(old: Any, new: Any) -> None:
    assert hand(old(), new()).way is Way.PROMOTE


@pytest.mark.parametrize("merge", ["newest", "keep_new"])
def test_a_foreign_map_is_merged_as_its_manifest_says(merge: str) -> None:
    assert hand(source(A), source(B, merge=merge)).way is Way(merge)


def test_every_number_of_a_summed_map_is_taken() -> None:
    found = hand(source(A, kind=PERCPU_ARRAY), source(B, kind=PERCPU_ARRAY, entries=32, merge="sum"))
    assert found.way is Way.SUM and all(move.take for move in found.moves)
    assert found.lost == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            {},
            {"members": B},
            ["value: packets u64 at byte 8 was packets u64 at byte 0", "Declare the map with WS_STATE"],
        ),
        ({}, {"members": B, "how": SDK, "on_layout_change": "refuse"}, ["on_layout_change: reset"]),
        ({"key": "__u64"}, {"how": SDK}, ["key size 4 was 8", "on_layout_change: reset"]),
        (
            {"key": "struct { __u16 a; __u16 b; }"},
            {"key": "struct { __u16 b; __u16 a; }", "merge": "newest"},
            ["key: b u16 at byte 0 was"],
        ),
        ({"entries": 32}, {"how": SDK}, ["max_entries 16 was 32: smaller"]),
        ({}, {"members": B, "how": SDK, "sums": ["lost"]}, ["sums: there is no member lost"]),
        ({}, {"members": "char packets; " + B[:12], "merge": "sum"}, ["packets s8", "another kind"]),
        ({}, {"members": "__u16 gone; " + B, "merge": "newest", "kind": PERCPU}, ["merge: newest is not possible"]),
        ({"kind": ARRAY}, {"members": B, "kind": ARRAY, "merge": "keep_new"}, ["Say maps.flows.merge: sum or newest"]),
        ({}, {"members": "__u8 a[5000]; " + A, "how": SDK}, ["values of more than 4096 bytes"]),
    ],
)
def test_what_cannot_be_handed_over_is_refused_with_its_remedy(old: dict, new: dict, said: "Sequence[str]") -> None:
    text = refusal(source(**old), source(**new))
    assert [part for part in said if part not in text] == [], text


def test_every_refused_map_is_named_at_once() -> None:
    maps = {name: {"role": "state"} for name in ("flows", "more")}
    two = PLAIN % (HASH, "__u32", 16) + PLAIN.replace("flows", "more") % (HASH, "__u32", 16)
    old, new = (small(PROGRAM % (members, two), maps=maps) for members in (A, B))
    with pytest.raises(Refused, match=r"Map flows: .* Map more: "):
        decide(new, {name: declared(old, name) for name in maps}, None)


def test_a_reset_says_that_the_map_begins_empty() -> None:
    found = hand(source(A), source(B, on_layout_change="reset"))
    assert (found.way, found.lost.startswith("Map flows begins empty: ")) == (Way.RESET, True)


@pytest.mark.parametrize(
    ("members", "sums", "lost"),
    [
        ("__u64 packets;", ["packets"], "Dropped in flows: mark."),
        (
            B,
            ["packets"],
            "In flows, what other CPUs still write in the instant of the publish to members that maps.flows",
        ),
        (B, [], "In flows, what other CPUs still write in the instant of the publish to members (name counters in"),
    ],
)
def test_what_can_be_lost_is_told(members: str, sums: "list[str]", lost: str) -> None:
    assert hand(source(A), source(members, SDK, sums=sums)).lost.startswith(lost)


def test_a_map_that_nothing_runs_with_needs_no_hand() -> None:
    assert decide(source(), {}, None) == ()


def test_scratch_is_never_handed_over() -> None:
    found = small(PROGRAM % (B, PLAIN % (HASH, "__u32", 16)), maps={"flows": {"role": "scratch"}})
    assert decide(found, {"flows": declared(source(), "flows")}, None) == ()


VERDICTS = """
WS_VERDICTS(%d);
SEC("xdp") int small(struct xdp_md *ctx)
{
	return ws_verdict(ctx, 0, XDP_PASS);
}
char _license[] SEC("license") = "GPL";
"""


def counting(*names: str) -> PipelineSource:
    verdicts = [{"name": name, "action": "pass"} for name in names]
    return small(VERDICTS % len(names), verdicts=verdicts, maps={"verdicts": {"role": "stats"}})


def verdict_hand(old: PipelineSource, new: PipelineSource, before: Optional[Manifest]) -> Hand:
    (found,) = decide(new, {"verdicts": declared(old, "verdicts")}, before)
    return found


@pytest.mark.parametrize(
    ("old", "new", "remap"),
    [
        (["a", "b"], ["a", "b"], None),
        (["a", "b"], ["b", "a"], (2, 1)),
        (["a", "b"], ["new", "a", "b"], (2, 3)),
        (["a", "gone", "b"], ["b", "a"], (2, 0, 1)),
    ],
)
def test_verdicts_are_matched_by_name(old: "list[str]", new: "list[str]", remap: Any) -> None:
    before = counting(*old)
    found = verdict_hand(before, counting(*new), before.manifest)
    assert (found.way, found.remap) == (Way.SUM if remap else Way.SHARE, remap)
    assert ("gone" in found.lost) == ("gone" in old)


def test_without_the_manifest_before_verdicts_are_matched_by_number() -> None:
    found = verdict_hand(counting("a", "b"), counting("x", "y", "z"), None)
    assert found.remap == (1, 2)
    assert "not known" in found.lost


def test_a_renamed_program_alone_changes_no_verdict() -> None:
    old, new = counting("a"), counting("a")
    renamed = replace(new, manifest=replace(new.manifest, version="2"))
    assert verdict_hand(old, renamed, old.manifest).way is Way.SHARE
