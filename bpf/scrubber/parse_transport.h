/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The transport header: ports, TCP flags, where the payload begins. */
#ifndef SCRUBBER_PARSE_TRANSPORT_H
#define SCRUBBER_PARSE_TRANSPORT_H

#include <linux/tcp.h>
#include <linux/udp.h>
#include "packet.h"
#include "parse.h"

#define TCP_MIN_WORDS 5
#define TCP_FLAGS_AT 13
#define ICMP_HEADER 8
#define GRE_MIN 4

/* Extension headers of the longest kind, six times over. */
#define MAX_TRANSPORT 0x3fff

static __always_inline bool parse_tcp(void *at, void *end, struct packet *out)
{
	struct tcphdr *tcp = at;
	__u32 header;

	if ((void *)(tcp + 1) > end ||
	    out->transport + sizeof(*tcp) > out->end ||
	    tcp->doff < TCP_MIN_WORDS)
		return false;
	header = tcp->doff * 4;
	if (out->transport + header > out->end)
		return false;
	out->source_port = tcp->source;
	out->destination_port = tcp->dest;
	out->tcp_flags = *((__u8 *)at + TCP_FLAGS_AT);
	out->payload = out->transport + header;
	return true;
}

/* The length is that of the datagram, of which a fragment is only a part. */
static __always_inline bool parse_udp(void *at, void *end, struct packet *out)
{
	struct udphdr *udp = at;
	__u32 length;

	if ((void *)(udp + 1) > end || out->transport + sizeof(*udp) > out->end)
		return false;
	length = bpf_ntohs(udp->len);
	if (length < sizeof(*udp) ||
	    (out->fragment == WHOLE && out->transport + length > out->end))
		return false;
	out->source_port = udp->source;
	out->destination_port = udp->dest;
	out->payload = out->transport + sizeof(*udp);
	return true;
}

/* What an outer header promises: GRE, or one IP header within another. */
static __always_inline bool parse_other(struct packet *out)
{
	__u32 header = 0;

	if (out->protocol == IPPROTO_ICMP || out->protocol == IPPROTO_ICMPV6)
		header = ICMP_HEADER;
	else if (out->protocol == IPPROTO_GRE)
		header = GRE_MIN;
	else if (out->protocol == IPPROTO_IPIP)
		header = sizeof(struct iphdr);
	else if (out->protocol == IPPROTO_IPV6)
		header = sizeof(struct ipv6hdr);
	if (out->transport + header > out->end)
		return false;
	out->payload = out->transport + header;
	return true;
}

/* False when the header is cut off or contradicts itself. */
static __always_inline bool parse_transport(const struct frame *frame,
					    struct packet *out)
{
	__u64 transport = out->transport;
	void *at;

	out->payload = out->transport;
	if (out->fragment == LATER_FRAGMENT)
		return true;
	if (transport > MAX_TRANSPORT)
		return false;
	at = frame->front + transport;
	if (out->protocol == IPPROTO_TCP)
		return parse_tcp(at, frame->end, out);
	if (out->protocol == IPPROTO_UDP)
		return parse_udp(at, frame->end, out);
	return parse_other(out);
}

#endif
