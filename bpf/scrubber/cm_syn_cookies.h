/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A source has to show that it is where it says before its SYN is let in.
 *
 * Its first SYN is answered by a SYN-ACK that acknowledges a cookie of the
 * kernel's (bpf_tcp_raw_gen_syncookie_ipv4, Linux 6.0) in place of the SYN. A
 * client takes that for an old duplicate and says so with a RST whose sequence
 * number is the cookie (RFC 9293, 3.10.7.3); it then sends its SYN again, which
 * passes. Nothing is remembered of a source before its RST.
 */
#ifndef SCRUBBER_CM_SYN_COOKIES_H
#define SCRUBBER_CM_SYN_COOKIES_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include "cm_connections.h"
#include "tables.h"
#include "verdicts.h"

/* The header that a cookie is made of and held against, in which the client's
 * own sequence number, which a RST does not repeat, is 0. */
static __always_inline struct tcphdr cookie_header(const struct packet *packet)
{
	struct tcphdr tcp = { .source = packet->source_port,
			      .dest = packet->destination_port };

	tcp.doff = sizeof(tcp) / 4;
	return tcp;
}

static __always_inline struct iphdr cookie_v4(const struct packet *packet)
{
	struct iphdr ip = { .version = 4,
			    .ihl = sizeof(ip) / 4,
			    .saddr = packet->source.word[0],
			    .daddr = packet->destination.word[0] };

	return ip;
}

static __always_inline void cookie_v6(const struct packet *packet,
				      struct ipv6hdr *ip)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	__builtin_memcpy(&ip->saddr, &packet->source, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &packet->destination, sizeof(ip->daddr));
}

/* The cookie in the lower 32 bits; negative where the kernel has none. */
static __always_inline __s64 cookie_of(const struct packet *packet)
{
	struct tcphdr tcp = cookie_header(packet);

	if (packet->version == 4) {
		struct iphdr ip = cookie_v4(packet);

		return bpf_tcp_raw_gen_syncookie_ipv4(&ip, &tcp, sizeof(tcp));
	} else {
		struct ipv6hdr ip;

		cookie_v6(packet, &ip);
		return bpf_tcp_raw_gen_syncookie_ipv6(&ip, &tcp, sizeof(tcp));
	}
}

/* The helper takes both numbers for those of an ACK: one more than was sent. */
static __always_inline bool is_cookie(const struct packet *packet, __u32 number)
{
	struct tcphdr tcp = cookie_header(packet);

	tcp.seq = bpf_htonl(1);
	tcp.ack_seq = bpf_htonl(number + 1);
	if (packet->version == 4) {
		struct iphdr ip = cookie_v4(packet);

		return !bpf_tcp_raw_check_syncookie_ipv4(&ip, &tcp);
	} else {
		struct ipv6hdr ip;

		cookie_v6(packet, &ip);
		return !bpf_tcp_raw_check_syncookie_ipv6(&ip, &tcp);
	}
}

static __always_inline bool is_verified(const struct source_key *key,
					const struct policy *policy)
{
	struct verified *found = verified_lookup(key);

	if (!found)
		return false;
	if (!older_than(found->since, bpf_ktime_get_coarse_ns(),
			policy->verified_timeout))
		return true;
	note(VERIFIED_EXPIRED);
	return false;
}

static __always_inline void verify(const struct source_key *key)
{
	struct verified now = { .since = bpf_ktime_get_coarse_ns() };
	struct verified *found = verified_lookup_or_init(key, &now);

	note(found ? VERIFIED_MADE : VERIFIED_NO_ROOM);
	if (found)
		*found = now;
}

/* Only a plain header is turned round by answer.h. */
static __always_inline bool is_plain(const struct packet *packet)
{
	__u32 header = packet->version == 4 ? sizeof(struct iphdr)
					    : sizeof(struct ipv6hdr);

	return packet->fragment == WHOLE &&
	       packet->transport == packet->network + header;
}

static __always_inline bool refuses(__u8 flags)
{
	return (flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) == TCP_RST;
}

static __always_inline enum verdict cm_syn_cookies(struct xdp_md *ctx,
						   const struct packet *packet,
						   const struct policy *policy,
						   __u32 policy_id)
{
	struct source_key key = source_of(packet, policy_id);
	__be32 number;

	if (packet->protocol != IPPROTO_TCP || !has_ports(packet))
		return PASS;
	if (!opens(packet->tcp_flags) && !refuses(packet->tcp_flags))
		return PASS;
	if (is_verified(&key, policy))
		return PASS;
	if (opens(packet->tcp_flags))
		return is_plain(packet) ? SYN_CHALLENGE : SYN_COOKIES;
	if (bpf_xdp_load_bytes(ctx,
			       packet->transport + offsetof(struct tcphdr, seq),
			       &number, sizeof(number)) ||
	    !is_cookie(packet, bpf_ntohl(number)))
		return PASS;
	verify(&key);
	return SYN_COOKIES;
}

#endif
