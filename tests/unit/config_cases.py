# SPDX-License-Identifier: GPL-3.0-or-later
"""A pipeline with a table of each shape, and documents for it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Dict

from tests.pipelines import small
from wirespeed.config import document
from wirespeed.config.compiled import Compiled
from wirespeed.errors import Place
from wirespeed.pipeline.source import PipelineSource

CODE = """
#include <stdbool.h>
#include <linux/in6.h>
#include <wirespeed_config.h>
enum action { ACTION_PASS, ACTION_DROP, ACTION_LIMIT = 7 };
enum signed_word { WORD_LOW = -3, WORD_HIGH = 3 };
struct bucket { __u64 tokens; __u32 burst; };
struct policy {
	enum action action;
	bool dry_run;
	__u16 marks;
	struct bucket limit;
	__be16 ports[4];
	__u8 cookie[4];
	char note[16];
	__u64 timeout;
	__s16 offset;
};
struct customer { __u32 id; __u32 policy; };
struct by_v4 { __u32 prefixlen; __be32 address; };
struct by_v6 { __u32 prefixlen; struct in6_addr address; };
struct per_policy { __u32 prefixlen; __u32 policy; __u8 address[4]; };
struct server { __be32 address; __be16 port; __u8 mac[6]; };
struct group { struct server servers[2]; __u32 weights[3]; enum signed_word word; };
struct flow { struct in6_addr source; __be16 port; __u8 protocol; };
#define MAP(name, kind, entries, key_type, value_type) \\
	struct { \\
		__uint(type, BPF_MAP_TYPE_##kind); \\
		__uint(max_entries, entries); \\
		__uint(map_flags, BPF_MAP_TYPE_##kind == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0); \\
		__type(key, key_type); \\
		__type(value, value_type); \\
	} name SEC(".maps")
MAP(deny_v4, LPM_TRIE, 64, struct by_v4, __u8);
MAP(deny_v6, LPM_TRIE, 64, struct by_v6, __u8);
MAP(peers, HASH, 64, struct in6_addr, __u8);
MAP(ports, HASH, 64, __be16, __u8);
MAP(policies, HASH, 64, __u32, struct policy);
MAP(customers, LPM_TRIE, 64, struct by_v4, struct customer);
MAP(blocked, LPM_TRIE, 64, struct per_policy, __u32);
MAP(groups, ARRAY, 8, __u32, struct group);
MAP(flows, PERCPU_HASH, 64, struct flow, __u64);
WS_CONFIG;
struct marks {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
};
WS_TABLE(marks);
SEC("xdp") int small(struct xdp_md *ctx) { return XDP_PASS; }
char _license[] SEC("license") = "GPL";
"""

MAPS: Dict[str, Dict[str, Any]] = {
    "deny_v4": {"role": "config", "table": "prefix_set"},
    "deny_v6": {"role": "config", "table": "prefix_set", "overlap": "refuse"},
    "peers": {"role": "config", "table": "address_set"},
    "ports": {"role": "config", "table": "port_set"},
    "policies": {
        "role": "config",
        "table": "records",
        "fields": {
            "policy": {"member": "key"},
            "limit": {"member": "limit.tokens", "type": "rate", "default": 0},
            "burst": {"member": "limit.burst", "default": 1, "minimum": 1, "maximum": 1000},
            "marks": {"type": "flags", "values": {"rate_limit": 1, "ports": 2}, "default": []},
            "action": {"default": "pass"},
            "dry_run": {"default": False},
            "ports": {"default": []},
            "cookie": {"default": "00000000"},
            "note": {"type": "text", "default": ""},
            "timeout": {"type": "duration", "default": "10s"},
            "offset": {"default": 0},
        },
    },
    "customers": {"role": "config", "table": "records", "fields": {"policy": {"references": "policies"}}},
    "blocked": {"role": "config", "table": "records", "fields": {"value": {"default": 1}}},
    "groups": {"role": "config", "table": "records"},
    "flows": {"role": "config", "table": "records"},
    "marks": {"role": "config", "table": "records"},
}

TABLES: Dict[str, Any] = {
    "deny_v4": ["192.0.2.0/24", "198.51.100.7"],
    "deny_v6": ["2001:db8::/32"],
    "peers": ["2001:db8::1"],
    "ports": [443],
    "policies": [
        {"policy": 12, "limit": "10kpps", "marks": ["ports"], "ports": [80, 443], "action": "limit", "note": "shop"},
        {"policy": "0x0d", "timeout": "5m", "dry_run": True},
    ],
    "customers": [{"prefix": "203.0.113.0/24", "id": 7, "policy": 12}],
    "blocked": [{"policy": 12, "prefix": "192.0.2.0/25"}],
    "groups": [
        {
            "key": 3,
            "servers": [{"address": "192.0.2.1", "port": 80, "mac": "020000000001"}],
            "weights": "1 2",
            "word": "low",
        }
    ],
    "flows": [{"source": "2001:db8::7", "port": 53, "protocol": 17, "value": 1}],
    "marks": [{"key": 1, "value": 2}],
}


@functools.cache
def source() -> PipelineSource:
    return small(CODE, maps=MAPS)


def compiled(tables: Any, schema: Any = 1, relative_to: Any = None, of: Any = None) -> Compiled:
    """Of rows as a document would have them."""
    data = {"pipeline": "small", "schema": schema, "tables": tables}
    said = document.given(data, Place("test"), relative_to)
    pipeline = of or source()
    return document.compile_document(said, "small", pipeline.manifest.config, pipeline.tables)


def from_file(folder: Path, table: str, name: str, text: Any) -> Compiled:
    """Of one table whose rows are in a file."""
    data = text if isinstance(text, bytes) else text.encode()
    (folder / name).write_bytes(data)
    return compiled({table: {"file": name}}, relative_to=folder)


def rows(found: Compiled, table: str) -> Any:
    return list(source().tables[table].unpack(found.tables[table]))
