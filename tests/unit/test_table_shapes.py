# SPDX-License-Identifier: GPL-3.0-or-later
"""Which maps can be which tables, told from their declaration alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipelines import small
from tests.probes import requires
from wirespeed.config.addresses import AddressSet, EthernetSet
from wirespeed.config.ports import PortSet
from wirespeed.config.prefixes import PrefixSet
from wirespeed.config.tables import Table
from wirespeed.errors import BadInput

pytestmark = requires("clang")

CODE = """
#include <linux/in6.h>
struct trie { __u32 length; __u8 address[4]; };
struct ether { __u8 bytes[6]; };
struct pair { __be16 source; __be16 target; };
struct only { const __be16 port; };
#define MAP(name, kind, entries, extra, key_type, value_type) \\
	struct { \\
		__uint(type, BPF_MAP_TYPE_##kind); \\
		__uint(max_entries, entries); \\
		__uint(map_flags, extra); \\
		__type(key, key_type); \\
		__type(value, value_type); \\
	} name SEC(".maps")
MAP(trie, LPM_TRIE, 8, BPF_F_NO_PREALLOC, struct trie, __u8);
MAP(v4, HASH, 8, 0, __be32, __u8);
MAP(v6, LRU_HASH, 8, 0, struct in6_addr, __u64);
MAP(ethernet, PERCPU_HASH, 8, 0, struct ether, __u16);
MAP(pairs, HASH, 8, 0, struct pair, __u8);
MAP(by_port, ARRAY, 65536, 0, __u32, __u8);
MAP(short_array, ARRAY, 1024, 0, __u32, __u8);
MAP(host_ports, HASH, 8, 0, __u16, __u32);
MAP(wire_ports, LRU_PERCPU_HASH, 8, 0, struct only, __u32);
MAP(wide, HASH, 8, 0, __u32, struct in6_addr);
struct huge { __u8 bytes[1 << 26]; };
MAP(huge, HASH, 8, 0, __u32, struct huge);
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__uint(key_size, 16);
	__uint(value_size, 4);
} untyped SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx) { return XDP_PASS; }
char _license[] SEC("license") = "GPL";
"""


def table(name: str, **said: Any) -> Table:
    return small(CODE, maps={name: {"role": "config", **said}}).tables[name]


def refused(name: str, **said: Any) -> str:
    with pytest.raises(BadInput) as error:
        table(name, **said)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "kind", "codec"),
    [
        ("trie", "prefix_set", PrefixSet(4)),
        ("v4", "address_set", AddressSet(4)),
        ("v6", "address_set", AddressSet(6)),
        ("untyped", "address_set", AddressSet(6)),
        ("ethernet", "address_set", EthernetSet()),
        ("by_port", "port_set", PortSet(4, False)),
        ("host_ports", "port_set", PortSet(2, False)),
        ("wide", "port_set", PortSet(4, False)),
    ],
)
def test_a_map_of_the_right_shape_is_a_table(name: str, kind: str, codec: object) -> None:
    assert table(name, table=kind).codec == codec


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("v4", "prefix_set"),
        ("trie", "address_set"),
        ("by_port", "address_set"),
        ("pairs", "address_set"),
        ("host_ports", "address_set"),
        ("short_array", "port_set"),
        ("pairs", "port_set"),
        ("v6", "port_set"),
        ("trie", "port_set"),
    ],
)
def test_a_map_of_another_shape_is_refused(name: str, kind: str) -> None:
    said = refused(name, table=kind)
    assert f"manifest: maps.{name}.table: is {kind}, but the map (type " in said
    assert f"{kind.replace('_', ' ')} is a" in said


def test_a_size_of_the_manifest_can_make_an_array_fit() -> None:
    assert table("short_array", table="port_set", max_entries=65536).array


@pytest.mark.parametrize(
    ("name", "order", "swapped"),
    [
        ("by_port", None, False),
        ("by_port", "network", True),
        ("wire_ports", None, True),
        ("wire_ports", "host", False),
        ("host_ports", "network", True),
    ],
)
def test_the_manifest_says_the_byte_order_of_ports_or_else_the_keys_type(
    name: str, order: object, swapped: bool
) -> None:
    said = {} if order is None else {"order": order}
    assert table(name, table="port_set", **said).codec == PortSet(4 if name == "by_port" else 2, swapped)


def test_an_order_belongs_to_ports() -> None:
    assert "maps.v4.order: stands on a table of kind address_set. Only a port_set" in refused(
        "v4", table="address_set", order="host"
    )


@pytest.mark.parametrize(
    ("name", "kind", "value", "written"),
    [
        ("trie", "prefix_set", 200, b"\xc8"),
        ("host_ports", "port_set", 258, b"\x02\x01\0\0"),
        ("v6", "address_set", 2**64 - 1, b"\xff" * 8),
        ("wide", "port_set", 3, b"\3".ljust(16, b"\0")),
        ("v4", "address_set", 0, b"\0"),
    ],
)
def test_what_is_written_for_a_row(name: str, kind: str, value: int, written: bytes) -> None:
    assert table(name, table=kind, value=value).value == written


def test_one_is_written_unless_the_manifest_says_otherwise() -> None:
    assert table("host_ports", table="port_set").value == b"\1\0\0\0"


@pytest.mark.parametrize(
    ("name", "kind", "value", "said"),
    [
        ("trie", "prefix_set", 256, "maps.trie.value: is 256. The map's values hold 0 to 255."),
        ("ethernet", "address_set", 65536, "maps.ethernet.value: is 65536. The map's values hold 0 to 65535."),
        ("by_port", "port_set", 0, "maps.by_port.value: is 0, but an array has all its elements at all times"),
    ],
)
def test_a_number_that_the_value_cannot_hold_is_refused(name: str, kind: str, value: int, said: str) -> None:
    assert said in refused(name, table=kind, value=value)


@pytest.mark.parametrize("kind", ["port_set", "records"])
def test_items_that_no_map_has_are_refused_before_one_is_made(kind: str) -> None:
    assert "Keys and values have 4194304 bytes at most" in refused("huge", table=kind)
