# SPDX-License-Identifier: GPL-3.0-or-later
"""A pipeline with tables of two sides and of one, on a NIC of a veth pair, and documents for it."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

from tests.pipelines import bundle_of, small
from wirespeed import config_engine, engine
from wirespeed.config.compiled import Compiled, layout_of
from wirespeed.config.packed import Packed
from wirespeed.config.strategy import Strategy
from wirespeed.errors import Place
from wirespeed.pipeline.pins import Paths
from wirespeed.pipeline.source import PipelineSource

SIDED = """
#include <wirespeed_config.h>
WS_CONFIG;
struct prefix { __u32 length; __u8 address[4]; };
struct denied {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u8);
};
WS_TABLE(denied);
struct hosts {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __be32);
	__type(value, __u8);
};
WS_TABLE(hosts);
"""
PLAIN = """
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __be16);
	__type(value, __u8);
} ports SEC(".maps");
"""
PROGRAM = """
SEC("xdp") int small(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct prefix key = { 32 };
	__be32 source;
	__be16 port = 0;
	__u32 side = ws_side();

	if (data + 34 > end || *(__u16 *)(data + 12) != 0x0008)
		return XDP_PASS;
	source = *(__be32 *)(data + 26);
	__builtin_memcpy(key.address, &source, 4);
	if (ws_lookup(denied, side, &key) || ws_lookup(hosts, side, &source) || bpf_map_lookup_elem(&ports, &port))
		return XDP_DROP;
	return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""
MAPS: Dict[str, Any] = {
    "denied": {"role": "config", "table": "prefix_set"},
    "hosts": {"role": "config", "table": "address_set"},
    "ports": {"role": "config", "table": "port_set"},
}
ONE_SIDED = """
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __be32);
	__type(value, __u8);
} hosts SEC(".maps");
SEC("xdp") int small(struct xdp_md *ctx)
{
	__be16 port = 0;
	__be32 host = 0;

	return bpf_map_lookup_elem(&ports, &port) || bpf_map_lookup_elem(&hosts, &host) ? XDP_DROP : XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""
Rows = Mapping[str, Sequence[str]]
FIRST: Rows = {"denied": ["192.0.2.0/24", "198.51.100.0/24"], "hosts": ["203.0.113.1"], "ports": ["53"]}
SECOND: Rows = {"denied": ["192.0.2.0/25", "198.51.100.0/24"], "hosts": ["203.0.113.2", "203.0.113.3"], "ports": ["53"]}


def sided(version: str = "1", **manifest: Any) -> PipelineSource:
    return small(SIDED + PLAIN + PROGRAM, version=version, **{"maps": MAPS, **manifest})


def one_sided(version: str = "1") -> PipelineSource:
    return small(PLAIN + ONE_SIDED, version=version, maps={name: MAPS[name] for name in ("hosts", "ports")})


def document(source: PipelineSource, rows: Rows) -> Compiled:
    """As the compiler makes it; a table that is not named has no rows."""
    place = Place("document")
    tables = {name: table.pack(rows.get(name, ()), place) for name, table in source.tables.items()}
    return Compiled(source.manifest.name, 1, layout_of(source.tables), tables)


def live_rows() -> Dict[str, List[str]]:
    """What is in the kernel, without the tables that are empty."""
    shown = config_engine.show("small")
    found = {name: list(shown.codecs[name].unpack(packed)) for name, packed in shown.tables.items()}
    return {name: rows for name, rows in found.items() if rows}


class Configured:
    """The pipeline ``small`` of ``source`` on ``nic``, by runs of the engine in this process."""

    def __init__(self, nic: str, source: PipelineSource, attach: str = "root", tables: Optional[Rows] = None) -> None:
        self.paths = Paths.from_environment()
        self.source = source
        self._nic, self._attach = nic, attach
        self.converge(tables=tables)

    def converge(self, source: Optional[PipelineSource] = None, tables: Optional[Rows] = None) -> Dict[str, Any]:
        self.source = source or self.source
        entry: Dict[str, Any] = {"name": "small", "attach": self._attach}
        if tables is not None:
            entry["tables"] = tables
        intent = {
            "nics": [{"name": self._nic, "pipeline": "small", "profile_tuning": False}],
            "pipelines": [entry],
        }
        return dict(engine.converge(intent, bundle_of(self.source), False))

    def apply(self, rows: Rows, strategy: str = "auto", **named: Any) -> config_engine.Delivered:
        return config_engine.apply("small", document(self.source, rows), Strategy(strategy), **named)

    @property
    def rows(self) -> Dict[str, List[str]]:
        return live_rows()

    @property
    def raw(self) -> Dict[str, Packed]:
        return dict(config_engine.show("small").tables)
