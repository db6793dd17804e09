# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of each type of map: what is read back, what CPUs see, how large both sides are."""

from __future__ import annotations

from typing import Any, Dict, List

from tests.pipelines import small
from tests.probes import requires, requires_bpf
from wirespeed.pipeline import fixtures, instance

from . import test_tables
from .config_cases import MAPS, Configured, sided
from .conftest import OnNode, Places

pytestmark = [requires_bpf, requires("clang")]

ARRAY = """
#include <wirespeed_config.h>
WS_CONFIG;
struct ports {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u16);
};
WS_TABLE(ports);
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 side = ws_side(), port = 53;
	__u16 *said = ws_lookup(ports, side, &port);

	return said && *said ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""
PER_CPU = """
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
} limits SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u32 key = 1;

	return bpf_map_lookup_elem(&limits, &key) ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""


def test_rows_in_each_type_of_map_read_back_as_they_were_delivered(on_node: OnNode) -> None:
    rows = {name: list(said) for name, (dummy, said) in test_tables.ROWS.items()}
    others = {name: said[1:] for name, said in rows.items()}

    def deliver(nic: str) -> None:
        node = Configured(nic, test_tables.source())
        for wanted in (rows, others, rows):
            node.apply(wanted, "entry")
            assert node.rows == wanted
        node.apply(others, "program_swap")
        assert node.rows == others

    on_node(deliver)


def test_a_value_that_cpus_see_differently_is_drift(on_node: OnNode) -> None:
    def deliver(nic: str) -> None:
        source = small(PER_CPU, maps={"limits": {"role": "config", "table": "records"}})
        node = Configured(nic, source)
        rows = {"limits": [{"key": 1, "value": 7}, {"key": 2, "value": 8}]}
        node.apply(rows, "entry")
        with instance.open_table(node.paths, "small", source.generation, "limits") as found:
            value = found.lookup(b"\2\0\0\0") or b""
            found.update(b"\2\0\0\0", value[:-8] + bytes(8))
        told = node.apply(rows)
        assert told.tables == {"limits": {"added": 0, "changed": 1, "removed": 0}}
        assert not node.apply(rows).changed

    on_node(deliver)


def test_both_sides_have_the_size_of_the_manifest(on_node: OnNode) -> None:
    maps = {name: {**spec, "max_entries": 4096} for name, spec in MAPS.items()}

    def deliver(nic: str) -> None:
        node = Configured(nic, sided(maps=maps))
        hosts = [f"10.0.{number >> 8}.{number & 255}" for number in range(3000)]
        for rows in ({"hosts": hosts}, {"hosts": hosts[1:]}):
            node.apply(rows, "map_swap")
            assert node.rows == rows

    on_node(deliver)


def test_both_sides_of_an_array_have_the_size_of_the_manifest(on_node: OnNode) -> None:
    maps = {"ports": {"role": "config", "table": "port_set", "max_entries": 65536}}

    def deliver(nic: str) -> None:
        node = Configured(nic, small(ARRAY, maps=maps))
        for rows in ({"ports": ["53", "65535"]}, {"ports": ["443"]}):
            node.apply(rows, "map_swap")
            assert node.rows == rows

    on_node(deliver)


def test_test_packets_meet_the_rows_of_a_table_with_two_sides(places: Places) -> None:
    packet = {"ipv4": {"source": "192.0.2.9"}, "udp": {"destination": 53}}
    tests: List[Dict[str, Any]] = [
        {"name": "denied", "packet": packet, "tables": {"denied": ["192.0.2.0/24"]}, "action": "drop"},
        {"name": "not denied", "packet": packet, "action": "pass"},
    ]
    assert fixtures.run(sided(tests=tests)) == ()
