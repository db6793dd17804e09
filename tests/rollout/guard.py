# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipeline that the fleet runs. Its edition tells who judges the packets; from a packet on it may turn sour."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

from tests.pipelines import compiled

DENIED, ALLOWED = "192.0.2.7", "198.51.100.7"

PROGRAM = """
#include <bpf/bpf_endian.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
WS_PIPELINE("guard", "1.0.0");
enum verdict { PASSED, DENIED, SPOILT, VERDICTS };
WS_VERDICTS(VERDICTS);
WS_RODATA(__u32, edition) = 1;
WS_RODATA(__u32, sour_after) = 0;
struct prefix { __u32 prefixlen; __u8 address[4]; };
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u8);
} denied SEC(".maps");
WS_MAP(BPF_MAP_TYPE_ARRAY, latest, __u32, __u32, 1, 0);
WS_MAP(BPF_MAP_TYPE_ARRAY, judged, __u32, __u64, 1, 0);
SEC("xdp") int guard(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct prefix source = { .prefixlen = 32 };
	__u32 zero = 0, *last = bpf_map_lookup_elem(&latest, &zero);
	__u64 *count = bpf_map_lookup_elem(&judged, &zero);

	if (!last || !count || (void *)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return ws_verdict(ctx, PASSED, XDP_PASS);
	*last = edition;
	__builtin_memcpy(source.address, &ip->saddr, sizeof(source.address));
	if (bpf_map_lookup_elem(&denied, &source))
		return ws_verdict(ctx, DENIED, XDP_DROP);
	if (sour_after && __sync_fetch_and_add(count, 1) > sour_after)
		return ws_verdict(ctx, SPOILT, XDP_DROP);
	return ws_verdict(ctx, PASSED, XDP_PASS);
}
char _license[] SEC("license") = "GPL";
"""
MANIFEST = """
manifest: 1
name: guard
version: "1.0.0"
object: guard.bpf.o
entry: guard
maps:
  denied: {role: config, table: prefix_set}
  latest: {role: state}
  judged: {role: scratch}
  verdicts: {role: stats}
verdicts:
  - {name: passed, action: pass}
  - {name: denied, action: drop}
  - {name: spoilt, action: drop}
constants: {edition: 1, sour_after: 0}
"""


@dataclass(frozen=True)
class Wanted:
    """What all nodes should run, in the words of `wirespeed.xdp.site` once a node has told its NIC.

    ``denied``: the addresses in the intent's tables. ``document``: a file with them instead, to be delivered.
    """

    manifest: Path
    edition: int
    gro: bool
    constants: Mapping[str, int] = field(default_factory=dict)
    denied: Sequence[str] = ("192.0.2.0/24",)
    document: str = ""

    def variables(self, nic: str, **settings: Dict[str, Any]) -> Dict[str, Any]:
        """``settings``: more of its tuning, by group."""
        tuning = {"features": {"rx-gro": self.gro}, "napi": {"defer-hard-irqs": self.edition}, **settings}
        pipeline = {
            "name": "guard",
            "manifest": str(self.manifest),
            "tables": {"denied": list(self.denied)} if self.denied else {},
            "constants": {"edition": self.edition, **self.constants},
        }
        delivery = {"pipeline": "guard", "document": self.document, "manifest": str(self.manifest)}
        return {
            "wirespeed_nics": [{"name": nic, "pipeline": "guard", "tuning": tuning}],
            "wirespeed_pipelines": [pipeline],
            **({"wirespeed_configurations": [delivery]} if self.document else {}),
        }


def write(folder: Path) -> Path:
    """Compiled into ``folder``; the path of its manifest."""
    (folder / "guard.bpf.o").write_bytes(compiled(PROGRAM))
    manifest = folder / "guard.pipeline.yml"
    manifest.write_text(MANIFEST)
    return manifest


def files(manifest: Path) -> List[Path]:
    """What the pipeline consists of."""
    return [manifest, manifest.with_name("guard.bpf.o")]
