# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of each kind of table in each type of map: written for every CPU, read back, and taken away again."""

from __future__ import annotations

import functools
import json
from typing import Any, Callable, Dict, Sequence, Tuple

import pytest

from tests.pipelines import small
from tests.probes import requires, requires_bpf
from wirespeed.config import live
from wirespeed.errors import BadInput
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.pipeline import instance
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .pipelines_here import Node, configure_step, load_step

pytestmark = [requires_bpf, requires("clang")]

CODE = """
#include <linux/in6.h>
struct trie { __u32 length; __u8 address[4]; };
struct ether { __u8 bytes[6]; };
#define MAP(name, kind, entries, extra, key_type, value_type) \\
	struct { \\
		__uint(type, BPF_MAP_TYPE_##kind); \\
		__uint(max_entries, entries); \\
		__uint(map_flags, extra); \\
		__type(key, key_type); \\
		__type(value, value_type); \\
	} name SEC(".maps")
MAP(trie, LPM_TRIE, 16, BPF_F_NO_PREALLOC, struct trie, __u16);
MAP(v4, HASH, 16, 0, __be32, __u16);
MAP(v4_lru, LRU_HASH, 16, 0, __be32, __u16);
MAP(v6, PERCPU_HASH, 16, 0, struct in6_addr, __u16);
MAP(ethernet, LRU_PERCPU_HASH, 16, 0, struct ether, __u16);
MAP(ports, HASH, 16, 0, __be16, __u16);
MAP(port_array, ARRAY, 65536, 0, __u32, __u16);
MAP(port_percpu, PERCPU_ARRAY, 65536, 0, __u32, __u16);
struct policy { __u32 limit; __u16 ports[2]; };
MAP(policies, PERCPU_HASH, 2, 0, __u32, struct policy);
MAP(slots, ARRAY, 4, 0, __u32, struct policy);
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key[4] = {};
	return %s;
}
char _license[] SEC("license") = "GPL";
"""
PORTS = ("0", "53", "443", "65535")
ROWS: Dict[str, Tuple[str, Sequence[str]]] = {
    "trie": ("prefix_set", ("0.0.0.0/0", "192.0.2.0/24")),
    "v4": ("address_set", ("192.0.2.1", "198.51.100.7")),
    "v4_lru": ("address_set", ("192.0.2.1", "198.51.100.7")),
    "v6": ("address_set", ("2001:db8::1", "2001:db8::2")),
    "ethernet": ("address_set", ("02:00:5e:00:53:01", "02:00:5e:00:53:02")),
    "ports": ("port_set", PORTS),
    "port_array": ("port_set", PORTS),
    "port_percpu": ("port_set", PORTS),
}
RECORDS = ("policies", "slots")
VALUE = 0x0307
COUNTED = b"\x47\x08"


@functools.cache
def source() -> PipelineSource:
    used = " + ".join(f"!!bpf_map_lookup_elem(&{name}, key)" for name in ROWS)
    maps = {name: {"role": "config", "table": kind, "value": VALUE} for name, (kind, _) in ROWS.items()}
    return small(CODE % used, maps={**maps, **{name: {"role": "config", "table": "records"} for name in RECORDS}})


@pytest.fixture
def node(places: Places) -> Node:
    made = Node(source())
    made.do(load_step(source()))
    return made


def opened(node: Node, name: str) -> BpfMap:
    return instance.open_map(node.paths, "small", source().generation, name)


def rows(node: Node, name: str) -> Tuple[str, ...]:
    return instance.rows(node.paths, "small", source().generation, {name: source().tables[name]})[name]


@pytest.mark.parametrize("name", ROWS)
def test_rows_read_back_as_they_were_written(node: Node, name: str) -> None:
    wanted = ROWS[name][1]
    node.do(configure_step(source(), name, wanted))
    assert rows(node, name) == tuple(wanted)


@pytest.mark.parametrize("name", ROWS)
def test_only_the_rows_that_are_removed_go(node: Node, name: str) -> None:
    first, *others = ROWS[name][1]
    node.do(configure_step(source(), name, [first, *others]), configure_step(source(), name, [], others))
    assert rows(node, name) == (first,)


@pytest.mark.parametrize("name", ROWS)
def test_the_manifests_value_is_written_for_every_cpu(node: Node, name: str) -> None:
    row = ROWS[name][1][-1]
    node.do(configure_step(source(), name, [row]))
    with opened(node, name) as found:
        raw = found.lookup(source().tables[name].codec.encode(row)) or b""
        assert set(found.split(raw)) == {VALUE.to_bytes(2, "little")}


@pytest.mark.parametrize("name", ["v4", "v6", "port_array", "port_percpu"])
def test_a_row_in_which_the_program_has_counted_is_a_row_and_keeps_its_count(node: Node, name: str) -> None:
    row = ROWS[name][1][-1]
    key = source().tables[name].codec.encode(row)
    node.do(configure_step(source(), name, [row]))
    with opened(node, name) as found:
        counted = found.spread(COUNTED)
        found.update(key, counted)
        node.do(configure_step(source(), name, ROWS[name][1]))
        assert found.lookup(key) == counted
    assert row in rows(node, name)


def test_a_removed_port_is_zero_for_every_cpu(node: Node) -> None:
    node.do(configure_step(source(), "port_percpu", ["443"]), configure_step(source(), "port_percpu", [], ["443"]))
    with opened(node, "port_percpu") as found:
        assert set(found.lookup_percpu(source().tables["port_percpu"].codec.encode("443"))) == {b"\0\0"}


def test_a_port_that_one_cpu_alone_knows_is_a_row(node: Node) -> None:
    with opened(node, "port_percpu") as found:
        alone = b"\0\1".rjust(found.stride - 6, b"\0").ljust(found.stride, b"\0")
        found.update(source().tables["port_percpu"].codec.encode("8080"), alone)
    assert rows(node, "port_percpu") == ("8080",)


def test_bytes_between_the_values_of_two_cpus_are_no_row(node: Node) -> None:
    with opened(node, "port_percpu") as found:
        between = (b"\0\0".ljust(8, b"\xff")) * (found.stride // 8)
        found.update(source().tables["port_percpu"].codec.encode("8080"), between)
    assert rows(node, "port_percpu") == ()


def test_a_port_that_its_program_writes_back_while_it_goes_is_removed_again(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """xdp-filter counts in the element that says "present", and not atomically."""
    node.do(configure_step(source(), "port_array", ["53", "443"]))
    write, once = BpfMap.update_many, [True]

    def counts_meanwhile(found: BpfMap, pairs: Any) -> None:
        write(found, pairs)
        if once and pairs:
            once.clear()
            write(found, [(key, COUNTED) for key, dummy in pairs[:1]])

    monkeypatch.setattr(BpfMap, "update_many", counts_meanwhile)
    node.do(configure_step(source(), "port_array", [], ["53", "443"]))
    assert rows(node, "port_array") == () and not once


def test_a_bad_row_is_refused_before_the_first_is_written(node: Node) -> None:
    with pytest.raises(BadInput, match="step: table port_array, row 2: '70000' is no port"):
        node.do(configure_step(source(), "port_array", ["443", "70000"]))
    assert rows(node, "port_array") == ()


@pytest.mark.parametrize("name", ["v4", "v6"])
def test_a_full_map_takes_new_rows_in_place_of_old_ones(node: Node, name: str) -> None:
    address: Callable[[int], str] = (lambda n: f"192.0.2.{n}") if name == "v4" else (lambda n: f"2001:db8::{n:x}")
    old, new = [address(n) for n in range(1, 17)], [address(n) for n in range(17, 33)]
    table = source().tables[name]
    with opened(node, name) as found:
        live.change(found, table, old, [])
        live.change(found, table, new, old)
        assert live.read(found, table) == tuple(new)


def record(key: int, limit: int, *ports: int) -> str:
    return json.dumps({"key": key, "limit": limit, "ports": ports}, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_changes_keeps_its_place(node: Node, name: str) -> None:
    before, kept, after = record(1, 10, 80), record(2, 5), record(1, 20, 80, 443)
    node.do(configure_step(source(), name, [before, kept]))
    assert rows(node, name) == (before, kept)
    node.do(configure_step(source(), name, [after], [before]))
    assert rows(node, name) == (after, kept)
    node.do(configure_step(source(), name, [], [kept]))
    assert rows(node, name) == (after,)
