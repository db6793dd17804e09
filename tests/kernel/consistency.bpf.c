// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Four lookups for each IPv4 packet, each with a key that the one before has
 * found, in a trie and a hash by turns. Every row has the version of its
 * document: counted are the packets that met one version, several, or a row
 * that was not there.
 */
#include <wirespeed.h>
#include <wirespeed_config.h>

#define ROWS 256
#define ADDRESS 26 /* of the source, behind an Ethernet header */

enum { SAME, MIXED, MISSING, VERDICTS };
WS_VERDICTS(VERDICTS);
WS_CONFIG;

struct prefix {
	__u32 length;
	__u8 address[4];
};

struct hop {
	__u32 next;
	__u32 version;
};

struct routes {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 2 * ROWS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, struct hop);
};
WS_TABLE(routes);

struct policies {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * ROWS);
	__type(key, __u32);
	__type(value, struct hop);
};
WS_TABLE(policies);

static __always_inline struct hop *route(__u32 side, __u32 number)
{
	struct prefix key = { 32, { 10, 0, 0, number & (ROWS - 1) } };

	return ws_lookup(routes, side, &key);
}

static __always_inline struct hop *policy(__u32 side, __u32 number)
{
	return ws_lookup(policies, side, &number);
}

SEC("xdp") int small(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data,
	     *end = (void *)(long)ctx->data_end;
	struct hop *first, *second, *third, *fourth;
	__u32 side = ws_side();

	if (data + ADDRESS + 4 > end || *(__be16 *)(data + 12) != 0x0008)
		return XDP_PASS;
	first = route(side, *(__u8 *)(data + ADDRESS + 3));
	second = first ? policy(side, first->next) : NULL;
	third = second ? route(side, second->next) : NULL;
	fourth = third ? policy(side, third->next) : NULL;
	if (!first || !second || !third || !fourth)
		return ws_verdict(ctx, MISSING, XDP_DROP);
	if (first->version != second->version ||
	    first->version != third->version ||
	    first->version != fourth->version)
		return ws_verdict(ctx, MIXED, XDP_DROP);
	return ws_verdict(ctx, SAME, XDP_DROP);
}

char _license[] SEC("license") = "GPL";
