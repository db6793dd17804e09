// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/* Finds the IP header of a frame: Ethernet, then up to two VLAN tags. */
#ifndef SCRUBBER_PARSE_H
#define SCRUBBER_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <wirespeed.h>

#define MAX_VLAN_TAGS 2
#define IPV4_MIN_WORDS 5

struct vlan_tag {
	__be16 tci;
	__be16 next_proto;
};

/* `end` is that of the first buffer, `bytes` are those of all. */
struct frame {
	void *front;
	void *end;
	__u64 bytes;
	union {
		struct iphdr *v4;
		struct ipv6hdr *v6;
	};
};

enum parsed {
	PARSED_IPV4,
	PARSED_IPV6,
	PARSED_OTHER, /* not IP, or more tags than we read */
	PARSED_BROKEN, /* a header that is cut off or contradicts itself */
};

static __always_inline int is_vlan(__be16 proto)
{
	return proto == bpf_htons(ETH_P_8021Q) ||
	       proto == bpf_htons(ETH_P_8021AD);
}

static __always_inline __u64 offset_in(const struct frame *frame, void *at)
{
	return at - frame->front;
}

static __always_inline enum parsed parse_v4(void *at, struct frame *out)
{
	struct iphdr *ip = at;
	__u64 header, length;

	if ((void *)(ip + 1) > out->end || ip->version != 4 ||
	    ip->ihl < IPV4_MIN_WORDS)
		return PARSED_BROKEN;
	header = (__u64)ip->ihl * 4;
	length = bpf_ntohs(ip->tot_len);
	if (at + header > out->end || length < header ||
	    offset_in(out, at) + length > out->bytes)
		return PARSED_BROKEN;
	out->v4 = ip;
	return PARSED_IPV4;
}

static __always_inline enum parsed parse_v6(void *at, struct frame *out)
{
	struct ipv6hdr *ip = at;
	__u64 length;

	if ((void *)(ip + 1) > out->end || ip->version != 6)
		return PARSED_BROKEN;
	length = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (offset_in(out, at) + length > out->bytes)
		return PARSED_BROKEN;
	out->v6 = ip;
	return PARSED_IPV6;
}

static __always_inline enum parsed parse(struct xdp_md *ctx, struct frame *out)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	void *at = eth + 1;
	__be16 proto;

	out->front = eth;
	out->end = (void *)(long)ctx->data_end;
	out->bytes = ws_frame_bytes(ctx);
	if (at > out->end)
		return PARSED_BROKEN;
	proto = eth->h_proto;
#pragma unroll
	for (int i = 0; i < MAX_VLAN_TAGS; i++) {
		struct vlan_tag *tag = at;

		if (!is_vlan(proto))
			break;
		if ((void *)(tag + 1) > out->end)
			return PARSED_BROKEN;
		proto = tag->next_proto;
		at = tag + 1;
	}
	if (proto == bpf_htons(ETH_P_IP))
		return parse_v4(at, out);
	if (proto == bpf_htons(ETH_P_IPV6))
		return parse_v6(at, out);
	return PARSED_OTHER;
}

#endif
