# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of a value find their new places by their names, or the reason why they cannot is told."""

from __future__ import annotations

import struct
from typing import Sequence, Tuple

import pytest

from tests.pipelines import small
from tests.probes import requires
from wirespeed.kernel.btf import Leaf
from wirespeed.pipeline.moves import Conversion, Move, convert, converted

pytestmark = requires("clang")

PROGRAM = """
struct point { __u16 x; __u16 y; };
struct value { %s };
WS_MAP(BPF_MAP_TYPE_HASH, flows, __u32, struct value, 16, 0);
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key = 0;
	return bpf_map_lookup_elem(&flows, &key) ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""


def leaves(members: str) -> "Tuple[Leaf, ...]":
    source = small(PROGRAM % members)
    return source.btf.leaves(source.maps["flows"].value_type)


def conversion(old: str, new: str, sums: Sequence[str] = (), all_sums: bool = False) -> Conversion:
    return convert(leaves(old), leaves(new), sums, all_sums)


@pytest.mark.parametrize(
    ("old", "new", "value", "becomes"),
    [
        ("__u64 a; __u32 b;", "__u32 b; __u64 a;", ("<QIxxxx", 7, 8), ("<IxxxxQ", 8, 7)),
        ("__u32 a; __u32 b;", "__u32 b; __u32 a;", ("<II", 7, 8), ("<II", 8, 7)),
        ("__u32 a;", "__u32 new; __u32 a;", ("<I", 7), ("<II", 0, 7)),
        ("__u32 a; __u32 gone;", "__u32 a;", ("<II", 7, 8), ("<I", 7)),
        ("__u16 a;", "__u64 a;", ("<H", 0xFFFF), ("<Q", 0xFFFF)),
        ("__s16 a;", "__s64 a;", ("<h", -2), ("<q", -2)),
        ("__u16 a[2];", "__u32 a[3];", ("<HH", 7, 8), ("<III", 7, 8, 0)),
        ("struct point p; __u32 a;", "__u32 a; struct point p;", ("<HHI", 1, 2, 3), ("<IHH", 3, 1, 2)),
        (
            "__u8 flag:1; __u8 rest:7; __u32 a;",
            "__u32 a; __u8 flag:1; __u8 rest:7;",
            ("<B3xI", 0x83, 9),
            ("<IB3x", 9, 0x83),
        ),
        ("__u8 a[20]; __u64 b;", "__u64 b; __u8 a[20];", ("<20s4xQ", b"x" * 20, 5), ("<Q20s4x", 5, b"x" * 20)),
        (
            "union { __u32 a; __u8 b[4]; }; __u32 c;",
            "__u32 c; union { __u32 a; __u8 b[4]; };",
            ("<II", 1, 2),
            ("<II", 2, 1),
        ),
    ],
)
def test_a_value_is_converted(old: str, new: str, value: tuple, becomes: tuple) -> None:
    found = conversion(old, new)
    assert found.problems == ()
    made = converted(struct.pack(*value), found.moves, struct.calcsize(becomes[0]))
    assert struct.unpack(becomes[0], made) == becomes[1:]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("__u64 a;", "__u32 a;", "value: a u32 at byte 0 was a u64 at byte 0: narrower"),
        ("__u32 a;", "__s32 a;", "value: a s32 at byte 0 was a u32 at byte 0: another kind"),
        ("__u8 a[4];", "__u8 a[2];", "value: a u8[2] at byte 0 was a u8[4] at byte 0: fewer elements"),
        ("__u32 a;", "struct bpf_spin_lock lock; __u32 a; ", ""),
        ("struct bpf_spin_lock lock;", "__u32 a; struct bpf_spin_lock lock;", "belongs to the kernel"),
        ("__u8 flag:1; __u8 rest:7;", "__u8 rest:7; __u8 flag:1;", ""),
        ("union { __u32 a; __u16 b; };", "__u32 a; __u16 b;", ""),
        ("__u32 a; __u16 b;", "union { __u32 a; __u16 b; };", "members of a union at byte 0 are moved apart"),
    ],
)
def test_what_is_no_conversion_says_why(old: str, new: str, said: str) -> None:
    assert said in "; ".join(conversion(old, new).problems)


def test_members_that_are_gone_are_named() -> None:
    assert conversion("__u32 a; struct point p;", "__u32 a;").dropped == ("p.x", "p.y")


def test_neighbours_move_as_one() -> None:
    members = "__u64 a; __u32 b; __u16 c; __u16 d;"
    assert conversion(members, f"__u64 new; {members}").moves == (Move(0, 8, 2, 8, 8),)


def test_a_counter_moves_by_itself() -> None:
    found = conversion("__u64 a; __u32 b;", "__u64 a; __u64 b;", sums=["b"])
    assert found.moves == (Move(0, 0, 1, 8, 8), Move(8, 8, 1, 4, 8, take=True))


def test_sums_name_whole_structs_and_arrays() -> None:
    found = conversion("struct { __u64 n; } a[2]; __u64 b[3];", "__u64 b[3]; struct { __u64 n; } a[2];", ["a", "b"])
    assert [move.take for move in found.moves] == [True] * 3


@pytest.mark.parametrize(
    ("members", "sums", "said"),
    [
        ("__u32 a;", ["b"], "sums: there is no member b"),
        ("__u16 a; __u16 b;", ["b"], "value: b u16 at byte 2 is no counter"),
        ("__u8 pad; struct { __u64 a; } __attribute__((packed)) p;", ["p.a"], "is no counter"),
    ],
)
def test_only_aligned_words_are_counters(members: str, sums: "list[str]", said: str) -> None:
    assert said in "; ".join(conversion(members, members, sums).problems)


def test_too_many_pieces_are_told() -> None:
    names = [f"m{number}" for number in range(40)]
    old, new = ("".join(f"__u32 {name};" for name in order) for order in (names, names[::-1]))
    assert "its members lie in 40 pieces, and 32 can be moved" in conversion(old, new).problems
