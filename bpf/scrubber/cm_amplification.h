/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Answers that nobody asked for: UDP from the port of a service that amplifies.
 */
#ifndef SCRUBBER_CM_AMPLIFICATION_H
#define SCRUBBER_CM_AMPLIFICATION_H

#include "tables.h"
#include "verdicts.h"

static __always_inline enum verdict
cm_amplification(const struct packet *packet, __u32 side)
{
	__be16 port = packet->source_port;

	if (packet->protocol != IPPROTO_UDP || !has_ports(packet))
		return PASS;
	return ws_lookup(amplifiers, side, &port) ? AMPLIFICATION : PASS;
}

#endif
