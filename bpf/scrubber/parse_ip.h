/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* From the IP header to the transport header: options, extension headers,
 * fragments. */
#ifndef SCRUBBER_PARSE_IP_H
#define SCRUBBER_PARSE_IP_H

#include "packet.h"
#include "parse.h"

#define MAX_EXTENSIONS 6

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff
#define IPV6_MORE_FRAGMENTS 0x0001
#define IPV6_FRAGMENT_OFFSET 0xfff8

/* Hop-by-hop, routing and destination options begin alike (RFC 8200, 4). */
struct extension {
	__u8 next_header;
	__u8 length; /* in units of 8 bytes, the first not counted */
	__be16 fragment; /* of a fragment header: its offset and flags */
};

static __always_inline enum fragment fragment_of(__u16 offset, __u16 more)
{
	if (offset)
		return LATER_FRAGMENT;
	return more ? FIRST_FRAGMENT : WHOLE;
}

static __always_inline void read_v4(const struct frame *frame,
				    struct packet *out)
{
	struct iphdr *ip = frame->v4;
	__u16 fragment = bpf_ntohs(ip->frag_off);

	out->version = 4;
	out->source.word[0] = ip->saddr;
	out->destination.word[0] = ip->daddr;
	out->protocol = ip->protocol;
	out->fragment = fragment_of(fragment & IPV4_FRAGMENT_OFFSET,
				    fragment & IPV4_MORE_FRAGMENTS);
	out->network = offset_in(frame, ip);
	out->transport = out->network + ip->ihl * 4;
	out->end = out->network + bpf_ntohs(ip->tot_len);
}

static __always_inline bool is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_FRAGMENT;
}

/* Past one extension header; false when it is not whole. */
static __always_inline bool step_over(struct xdp_md *ctx, struct packet *out)
{
	struct extension found;
	__u8 protocol = out->protocol;
	enum fragment fragment;
	__u32 size = 8;
	__u16 field;

	if (bpf_xdp_load_bytes(ctx, out->transport, &found, sizeof(found)))
		return false;
	if (protocol == IPPROTO_FRAGMENT) {
		field = bpf_ntohs(found.fragment);
		fragment = fragment_of(field & IPV6_FRAGMENT_OFFSET,
				       field & IPV6_MORE_FRAGMENTS);
		if (fragment > out->fragment) /* a second header hides none */
			out->fragment = fragment;
	} else {
		size += (__u32)found.length * 8;
	}
	out->protocol = found.next_header;
	out->transport += size;
	return out->transport <= out->end;
}

/* False when the extension headers are cut off, or more than we read. */
static __always_inline bool
read_v6(struct xdp_md *ctx, const struct frame *frame, struct packet *out)
{
	struct ipv6hdr *ip = frame->v6;

	out->version = 6;
	__builtin_memcpy(&out->source, &ip->saddr, sizeof(out->source));
	__builtin_memcpy(&out->destination, &ip->daddr,
			 sizeof(out->destination));
	out->protocol = ip->nexthdr;
	out->network = offset_in(frame, ip);
	out->transport = out->network + sizeof(*ip);
	out->end = out->transport + bpf_ntohs(ip->payload_len);
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		if (out->fragment == LATER_FRAGMENT ||
		    !is_extension(out->protocol))
			return true;
		if (!step_over(ctx, out))
			return false;
	}
	return out->fragment == LATER_FRAGMENT || !is_extension(out->protocol);
}

#endif
