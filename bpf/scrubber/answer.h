/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Turns a SYN round into the SYN-ACK that challenges its sender
 * (cm_syn_cookies.h). */
#ifndef SCRUBBER_ANSWER_H
#define SCRUBBER_ANSWER_H

#include <linux/if_ether.h>
#include "cm_syn_cookies.h"

#define ANSWER_TTL 64

/* network: a VLAN tag or two behind Ethernet, at most. */
#define MAX_NETWORK 0x3f

static __always_inline __sum16 folded(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static __always_inline void swap_macs(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
}

static __always_inline void answer_v4(struct iphdr *ip,
				      const struct packet *packet)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = bpf_htons(sizeof(*ip) + sizeof(struct tcphdr));
	ip->ttl = ANSWER_TTL;
	ip->protocol = IPPROTO_TCP;
	ip->saddr = packet->destination.word[0];
	ip->daddr = packet->source.word[0];
	ip->check =
		folded(bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0));
}

static __always_inline void answer_v6(struct ipv6hdr *ip,
				      const struct packet *packet)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 6;
	ip->payload_len = bpf_htons(sizeof(struct tcphdr));
	ip->nexthdr = IPPROTO_TCP;
	ip->hop_limit = ANSWER_TTL;
	__builtin_memcpy(&ip->saddr, &packet->destination, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &packet->source, sizeof(ip->daddr));
}

/* Over both addresses, which follow one another in packet, and what RFC 9293
 * (3.1) adds to them. */
static __always_inline void answer_tcp(struct tcphdr *tcp,
				       struct packet *packet, __u32 cookie)
{
	__u32 sum;

	__builtin_memset(tcp, 0, sizeof(*tcp));
	tcp->source = packet->destination_port;
	tcp->dest = packet->source_port;
	tcp->ack_seq = bpf_htonl(cookie);
	tcp->doff = sizeof(*tcp) / 4;
	tcp->syn = 1;
	tcp->ack = 1;
	sum = bpf_csum_diff(NULL, 0, packet->source.word,
			    2 * sizeof(struct address),
			    bpf_htonl(IPPROTO_TCP + sizeof(*tcp)));
	tcp->check = folded(
		bpf_csum_diff(NULL, 0, (__be32 *)tcp, sizeof(*tcp), sum));
}

/* Cuts what the SYN had beyond its headers; a frame stays as long as Ethernet
 * wants it. */
static __always_inline bool trimmed(struct xdp_md *ctx, __u32 headers)
{
	__u32 bytes = ws_frame_bytes(ctx);
	__u32 wanted = headers < ETH_ZLEN ? ETH_ZLEN : headers;

	return bytes <= wanted ||
	       !bpf_xdp_adjust_tail(ctx, (int)wanted - (int)bytes);
}

/* False when it cannot be done; the frame is then of no use any more. */
static __always_inline bool answer(struct xdp_md *ctx, struct packet *packet)
{
	__u64 network = packet->network & MAX_NETWORK;
	__u64 header = packet->version == 4 ? sizeof(struct iphdr)
					    : sizeof(struct ipv6hdr);
	__s64 cookie = cookie_of(packet);
	void *front, *end, *ip;
	struct tcphdr *tcp;

	if (cookie < 0 ||
	    !trimmed(ctx, network + header + sizeof(struct tcphdr)))
		return false;
	front = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	ip = front + network;
	if (packet->version == 4) {
		tcp = ip + sizeof(struct iphdr);
		if ((void *)(tcp + 1) > end)
			return false;
		answer_v4(ip, packet);
	} else {
		tcp = ip + sizeof(struct ipv6hdr);
		if ((void *)(tcp + 1) > end)
			return false;
		answer_v6(ip, packet);
	}
	answer_tcp(tcp, packet, (__u32)cookie);
	if (front + sizeof(struct ethhdr) > end)
		return false;
	swap_macs(front);
	return true;
}

#endif
