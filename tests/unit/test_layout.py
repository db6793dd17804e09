# SPDX-License-Identifier: GPL-3.0-or-later
"""Layouts are compared member by member, whatever their sizes say."""

from __future__ import annotations

import pytest

from tests.pipelines import small
from tests.probes import requires
from wirespeed.kernel.btf import Leaf
from wirespeed.pipeline.layout import compare

pytestmark = requires("clang")

PROGRAM = """
struct point { __u16 x; __u16 y; };
typedef __u32 seconds;
enum state { NEW, OLD };
struct flow { %s };
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key = 0;
	return bpf_map_lookup_elem(&flows, &key) ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""


def leaves(members: str) -> "tuple[Leaf, ...]":
    source = small(PROGRAM % members)
    return source.btf.leaves(source.maps["flows"].value_type)


def differences(old: str, new: str) -> "list[str]":
    return compare("value", leaves(old), leaves(new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("__u32 a; __u32 b;", "__u32 a; __u32 b;"),
        ("__u32 a;", "seconds a;"),
        ("struct point p; __u32 b;", "struct point p; __u32 b;"),
        ("struct point p[3];", "struct point p[3];"),
        ("__u8 flag:1; __u8 rest:7;", "__u8 flag:1; __u8 rest:7;"),
        ("enum state s; void *p;", "enum state s; void *p;"),
    ],
)
def test_the_same_members_are_no_difference(old: str, new: str) -> None:
    assert differences(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("__u32 a; __u32 b;", "__u32 b; __u32 a;", "value: b u32 at byte 0 was b u32 at byte 4"),
        ("__u32 a;", "__u64 a;", "value: a u64 at byte 0 was a u32 at byte 0"),
        ("__u32 a;", "__s32 a;", "value: a s32 at byte 0 was a u32 at byte 0"),
        ("__u32 a; __u32 b;", "__u32 a; __u32 c;", "value: b u32 at byte 4 is gone"),
        ("__u32 a;", "__u32 a; __u32 b;", "value: b u32 at byte 4 is new"),
        ("__u8 a[4];", "__u8 a[8];", "value: a u8[8] at byte 0 was a u8[4] at byte 0"),
        ("struct point p[2];", "struct { __u16 y; __u16 x; } p[2];", "value: p[1].y u16 at byte 4 was p[1].y u16 at"),
        ("__u8 flag:1; __u8 rest:7;", "__u8 rest:7; __u8 flag:1;", "value: rest u:7 at byte 0 was"),
    ],
)
def test_a_difference_names_member_and_place(old: str, new: str, said: str) -> None:
    assert any(found.startswith(said) for found in differences(old, new)), differences(old, new)
