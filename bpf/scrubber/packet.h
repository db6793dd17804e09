/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the judgement knows of a packet once it is parsed. */
#ifndef SCRUBBER_PACKET_H
#define SCRUBBER_PACKET_H

#include <linux/in.h>
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>

/* As it stands in the packet; of IPv4 in the first word, the others are zero.
 */
struct address {
	__be32 word[4];
};

enum fragment {
	WHOLE,
	FIRST_FRAGMENT,
	LATER_FRAGMENT, /* begins within the payload: has no ports */
};

enum tcp_flags {
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_ACK = 16,
};

/* `network`, `transport`, `payload` and `end` count bytes from the frame's
 * front; `end` is where IP says that the packet ends, before any padding. */
struct packet {
	struct address source;
	struct address destination;
	__u32 network;
	__u32 transport;
	__u32 payload;
	__u32 end;
	__be16 source_port;
	__be16 destination_port;
	__u8 version;
	__u8 protocol;
	__u8 fragment;
	__u8 tcp_flags;
};

static __always_inline bool has_ports(const struct packet *packet)
{
	return packet->fragment != LATER_FRAGMENT &&
	       (packet->protocol == IPPROTO_TCP ||
		packet->protocol == IPPROTO_UDP);
}

#endif
