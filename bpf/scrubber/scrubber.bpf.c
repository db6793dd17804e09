// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * scrubber, the reference pipeline: drops what comes from a denied prefix and
 * counts a verdict for every frame that it sees.
 */
#include "parse.h"

#ifndef WS_VERSION
#define WS_VERSION "0.1.0"
#endif

WS_PIPELINE("scrubber", WS_VERSION);

/* In the order of `verdicts` in scrubber.pipeline.yml. */
enum verdict {
	PASS,
	NOT_INSPECTED,
	DENY_PREFIX_V4,
	DENY_PREFIX_V6,
	MALFORMED,
	VERDICTS,
};

WS_VERDICTS(VERDICTS);

struct prefix_v4 {
	__u32 prefixlen;
	__u8 address[4];
};

struct prefix_v6 {
	__u32 prefixlen;
	__u8 address[16];
};

/* Entries of a trie are allocated one by one: the limit costs no memory. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1 << 20);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_v4);
	__type(value, __u8);
} deny_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1 << 20);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_v6);
	__type(value, __u8);
} deny_v6 SEC(".maps");

static __always_inline int inspect_v4(struct xdp_md *ctx, struct iphdr *ip)
{
	struct prefix_v4 source = { .prefixlen = 32 };

	__builtin_memcpy(source.address, &ip->saddr, sizeof(source.address));
	if (bpf_map_lookup_elem(&deny_v4, &source))
		return ws_verdict(ctx, DENY_PREFIX_V4, XDP_DROP);
	return ws_verdict(ctx, PASS, XDP_PASS);
}

static __always_inline int inspect_v6(struct xdp_md *ctx, struct ipv6hdr *ip)
{
	struct prefix_v6 source = { .prefixlen = 128 };

	__builtin_memcpy(source.address, &ip->saddr, sizeof(source.address));
	if (bpf_map_lookup_elem(&deny_v6, &source))
		return ws_verdict(ctx, DENY_PREFIX_V6, XDP_DROP);
	return ws_verdict(ctx, PASS, XDP_PASS);
}

SEC("xdp")
int scrubber(struct xdp_md *ctx)
{
	struct headers headers;

	switch (parse(ctx, &headers)) {
	case PARSED_IPV4:
		return inspect_v4(ctx, headers.v4);
	case PARSED_IPV6:
		return inspect_v6(ctx, headers.v6);
	case PARSED_OTHER:
		return ws_verdict(ctx, NOT_INSPECTED, XDP_PASS);
	default:
		return ws_verdict(ctx, MALFORMED, XDP_DROP);
	}
}

char _license[] SEC("license") = "Dual BSD/GPL";
