/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Destination ports and protocols: the port's own row, else the protocol's,
 * else the policy's word. */
#ifndef SCRUBBER_CM_PORTS_H
#define SCRUBBER_CM_PORTS_H

#include "tables.h"
#include "verdicts.h"

static __always_inline enum verdict cm_ports(const struct packet *packet,
					     const struct policy *policy,
					     __u32 policy_id, __u32 side)
{
	struct policy_port key = { .policy = policy_id,
				   .protocol = packet->protocol };
	enum action *found = NULL;
	enum action action = policy->other_ports;

	if (has_ports(packet) && packet->destination_port) {
		key.port = packet->destination_port;
		found = ws_lookup(ports, side, &key);
	}
	if (!found) {
		key.port = 0;
		found = ws_lookup(ports, side, &key);
	}
	if (found)
		action = *found;
	return action == ACTION_DENY ? PORT : PASS;
}

#endif
