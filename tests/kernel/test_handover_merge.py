# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps of programs that do not fetch entries by themselves: merged by what the manifest declares, or refused."""

from __future__ import annotations

import struct
from typing import Any, Dict, List

import pytest

from tests.pipelines import small
from tests.probes import requires, requires_bpf
from wirespeed.errors import Refused
from wirespeed.kernel import grace, libbpf
from wirespeed.kernel.bpf_map import ARRAY, BpfMap
from wirespeed.pipeline import instance, succession
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .handover_cases import MEMBERS, PERCPU, Flow, fill, flows, load, opened, publish, read, reload, run_frame
from .pipelines_here import Node

pytestmark = [requires_bpf, requires("clang")]

EMPTY = """
SEC("xdp") int small(struct xdp_md *ctx)
{
	return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""
WIDER = "__u32 mark; __u64 bytes; __u64 first_seen; __u64 packets;"


def holding(name: str, declaration: str, body: str = EMPTY, **spec: Any) -> PipelineSource:
    return small(declaration + body, maps={name: {"role": "state", **spec}})


def number(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, "little")


def test_newest_lets_the_new_program_count_on_from_what_was_there(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = flows(sdk=False), flows(WIDER, sdk=False, merge="newest")
    reload(old)
    run_frame(7, 3)
    load(new)
    run_frame(7, 4)
    run_frame(8)

    def wait_with_a_packet() -> None:
        """The first one after the publish, before anything else is carried."""
        run_frame(7)
        grace.wait_for_programs()

    monkeypatch.setattr(succession, "wait_for_programs", wait_with_a_packet)
    publish(new)
    assert {key: flow.packets for key, flow in read(new).items()} == {7: 8, 8: 1}


def test_keep_new_leaves_what_the_new_program_wrote(places: Places) -> None:
    old, new = flows(sdk=False), flows(WIDER, sdk=False, merge="keep_new")
    reload(old)
    fill(old, {7: Flow(70, 700, 5), 8: Flow(80, 800, 6)})
    load(new)
    with opened(new) as found:
        found.update(number(7), bytes(found.info.value_size))
    publish(new)
    assert read(new) == {7: Flow(0, 0, 0), 8: Flow(80, 800, 6)}


def test_sum_adds_every_cpus_counters(places: Places) -> None:
    old = flows("__u64 packets; __u64 bytes; __u64 first_seen;", PERCPU, sdk=False)
    new = flows("__u64 first_seen; __u64 bytes; __u64 packets;", PERCPU, sdk=False, merge="sum")
    cpus = libbpf.possible_cpus()
    reload(old)
    with opened(old) as found:
        found.update(number(7), b"".join(struct.pack("<QQQ", 10 + cpu, 1000, 1) for cpu in range(cpus)))
    reload(new)
    with opened(new) as found:
        values = [struct.unpack("<QQQ", value) for value in found.lookup_percpu(number(7))]
    assert [sum(value[i] for value in values) for i in range(3)] == [
        cpus,
        1000 * cpus,
        sum(10 + cpu for cpu in range(cpus)),
    ]


def test_an_array_of_counters_grows(places: Places) -> None:
    declaration = "WS_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, hits, __u32, %s, %d, 0);"
    old = holding("hits", declaration % ("__u32", 2))
    new = holding("hits", declaration % ("__u64", 4), merge="sum")
    cpus = libbpf.possible_cpus()
    reload(old)
    with opened(old, "hits") as found:
        found.update(number(1), number(2**32 - 1, 8) * cpus)
    reload(new)
    with opened(new, "hits") as found:
        sums = [sum(int.from_bytes(value, "little") for value in found.lookup_percpu(number(i))) for i in range(4)]
    assert sums == [0, (2**32 - 1) * cpus, 0, 0]


TRIE = """
struct prefix { __u32 length; __u8 address[4]; };
WS_MAP(BPF_MAP_TYPE_LPM_TRIE, learned, struct prefix, struct { %s }, %d, BPF_F_NO_PREALLOC);
"""


@pytest.mark.parametrize("merge", ["newest", "keep_new"])
def test_a_trie_is_carried_with_its_members_by_name(places: Places, merge: str) -> None:
    old = holding("learned", TRIE % ("__u16 score; __u32 seen;", 64))
    new = holding("learned", TRIE % ("__u32 seen; __u32 score;", 128), merge=merge)
    prefix = struct.pack("<I4B", 24, 192, 0, 2, 0)
    reload(old)
    with opened(old, "learned") as found:
        found.update(prefix, struct.pack("<HxxI", 7, 99))
    reload(new)
    with opened(new, "learned") as found:
        assert dict(found.items()) == {prefix: struct.pack("<II", 99, 7)}


NESTED = """
struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, %s); };
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, %d);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps");
"""


def put_inner(source: PipelineSource) -> int:
    """The id of a map that is put under key 5."""
    with BpfMap.create(ARRAY, "inner", (4, 8), 1) as inner, opened(source, "outer") as outer:
        outer.update(number(5), number(inner.fd))
        return inner.info.id


def inner_ids(source: PipelineSource) -> "Dict[int, int]":
    with opened(source, "outer") as outer:
        return {int.from_bytes(key, "little"): int.from_bytes(value, "little") for key, value in outer.each()}


def test_a_map_of_maps_grows_with_the_same_maps_in_it(places: Places) -> None:
    old, new = (holding("outer", NESTED % ("__u64", entries)) for entries in (4, 8))
    reload(old)
    inner = put_inner(old)
    reload(new)
    assert inner_ids(new) == {5: inner}


def test_a_map_of_maps_of_the_same_layout_is_the_same_map(places: Places) -> None:
    old = holding("outer", NESTED % ("__u64", 4))
    new = small(NESTED % ("__u64", 4) + EMPTY, version="2", maps={"outer": {"role": "state"}})
    reload(old)
    inner = put_inner(old)
    reload(new)
    with opened(old, "outer") as one, opened(new, "outer") as other:
        assert (one.info.id, inner_ids(new)) == (other.info.id, {5: inner})


def test_other_inner_maps_are_refused(places: Places) -> None:
    old, new = (holding("outer", NESTED % (kind, 4)) for kind in ("__u64", "__u32"))
    reload(old)
    put_inner(old)
    with pytest.raises(Refused, match="inner map: value size 4 was 8"):
        reload(new)


VARIABLES = """
%s
SEC("xdp") int small(struct xdp_md *ctx)
{
	seen += %d;
	return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""


def seen(source: PipelineSource) -> int:
    with opened(source, ".bss") as found:
        value = found.lookup(number(0))
    assert value is not None
    return int.from_bytes(value[:8], "little")


def test_variables_live_on(places: Places) -> None:
    old, new = (holding(".bss", "", VARIABLES % ("__u64 seen;", step)) for step in (1, 10))
    reload(old)
    run_frame(1, 3)
    reload(new)
    run_frame(1, 2)
    assert seen(new) == 23


def test_other_variables_are_refused_unless_they_may_begin_anew(places: Places) -> None:
    reload(holding(".bss", "", VARIABLES % ("__u64 seen;", 1)))
    changed = VARIABLES % ("__u64 seen; __u64 lost;", 1)
    with pytest.raises(Refused, match=r"value: lost u64 at byte 8 is new.*maps\..bss\.on_layout_change: reset"):
        reload(holding(".bss", "", changed))
    reload(holding(".bss", "", changed, on_layout_change="reset"))


REFUSALS: "List[tuple[str, Dict[str, Any], str]]" = [
    ("__u32 packets; __u64 bytes; __u64 first_seen;", {"merge": "newest"}, "packets u32 at byte 0 was .*: narrower"),
    ("__s64 packets; __u64 bytes; __u64 first_seen;", {"merge": "newest"}, "packets s64 .*: another kind"),
    (WIDER, {}, "maps.flows.merge: sum, newest or keep_new"),
    (WIDER, {"merge": "newest", "on_layout_change": "refuse"}, "value size 32 was 24"),
    (MEMBERS, {"merge": "newest", "max_entries": 512}, "max_entries 512 was 1024: smaller"),
    (WIDER, {"merge": "newest", "kind": PERCPU}, "merge: newest is not possible from a map of type 1 to one of type 5"),
    (WIDER + "struct bpf_spin_lock lock;", {"merge": "sum", "sums": ["flags"]}, "sums: there is no member flags"),
]


@pytest.mark.parametrize(("members", "spec", "said"), REFUSALS)
def test_what_cannot_be_carried_is_refused_with_the_difference(
    places: Places, members: str, spec: "Dict[str, Any]", said: str
) -> None:
    old = flows(sdk=False)
    reload(old)
    with pytest.raises(Refused, match=said):
        reload(flows(members, sdk=False, **spec))
    assert instance.published(Node().paths, "small") == old.generation
