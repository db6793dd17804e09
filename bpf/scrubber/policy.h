/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Whose packet it is, and what the policy of that customer says. */
#ifndef SCRUBBER_POLICY_H
#define SCRUBBER_POLICY_H

#include "cm_amplification.h"
#include "cm_connections.h"
#include "cm_fragments.h"
#include "cm_patterns.h"
#include "cm_ports.h"
#include "cm_rate_limit.h"
#include "cm_syn_cookies.h"
#include "constants.h"
#include "tables.h"
#include "verdicts.h"

static __always_inline struct customer *
customer_of(const struct address *address, __u8 version, __u32 side)
{
	if (version == 4) {
		struct prefix_v4 key = { .prefixlen = 32 };

		__builtin_memcpy(key.address, address, sizeof(key.address));
		return ws_lookup(customers_v4, side, &key);
	} else {
		struct prefix_v6 key = { .prefixlen = 128 };

		__builtin_memcpy(key.address, address, sizeof(key.address));
		return ws_lookup(customers_v6, side, &key);
	}
}

/* The longest prefix of the policy that holds the source; PASS when none does.
 */
static __always_inline enum verdict policy_prefix(const struct packet *packet,
						  __u32 policy_id, __u32 side)
{
	enum action *found;

	if (packet->version == 4) {
		struct policy_prefix_v4 key = { .prefixlen = 64,
						.policy = policy_id };

		__builtin_memcpy(key.address, &packet->source,
				 sizeof(key.address));
		found = ws_lookup(policy_prefixes_v4, side, &key);
	} else {
		struct policy_prefix_v6 key = { .prefixlen = 160,
						.policy = policy_id };

		__builtin_memcpy(key.address, &packet->source,
				 sizeof(key.address));
		found = ws_lookup(policy_prefixes_v6, side, &key);
	}
	if (!found)
		return PASS;
	return *found == ACTION_DENY ? POLICY_DENY : POLICY_ALLOW;
}

/* What needs no state first; tokens are taken by what all others let in. */
#define TRY(feature, bits, countermeasure)                        \
	if (with_##feature && policy->countermeasures & (bits)) { \
		enum verdict found = countermeasure;              \
                                                                  \
		if (found != PASS)                                \
			return found;                             \
	}

static __always_inline enum verdict judge_by_policy(struct xdp_md *ctx,
						    const struct packet *packet,
						    const struct policy *policy,
						    __u32 id, __u32 side)
{
	if (with_policy_prefixes) {
		enum verdict found = policy_prefix(packet, id, side);

		if (found != PASS)
			return found;
	}
	TRY(fragments, CM_FRAGMENTS, cm_fragments(packet, policy));
	TRY(amplification, CM_AMPLIFICATION, cm_amplification(packet, side));
	TRY(ports, CM_PORTS, cm_ports(packet, policy, id, side));
	TRY(patterns, CM_PATTERNS, cm_patterns(ctx, packet, id, side));
	TRY(syn_cookies, CM_SYN_COOKIES,
	    cm_syn_cookies(ctx, packet, policy, id));
	if (with_connections && is_tracked(packet, policy) &&
	    cm_connections(packet, policy, id) != PASS)
		return NO_CONNECTION;
	TRY(rate_limit, CM_RATE_LIMIT, cm_rate_limit(packet, policy, id));
	return PASS;
}

#endif
