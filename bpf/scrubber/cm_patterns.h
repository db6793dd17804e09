/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Up to 16 bytes under a mask at an offset of the payload, up to 8 of them for
 * a policy. */
#ifndef SCRUBBER_CM_PATTERNS_H
#define SCRUBBER_CM_PATTERNS_H

#include "tables.h"
#include "verdicts.h"

#define MAX_PATTERNS 8

static __always_inline bool matches(struct xdp_md *ctx,
				    const struct packet *packet,
				    const struct pattern *pattern)
{
	const __u64 *bytes = (const void *)pattern->bytes;
	const __u64 *mask = (const void *)pattern->mask;
	__u32 at = packet->payload + pattern->offset;
	__u32 last = (__u32)pattern->length - 1; /* no length: out of bounds */
	__u64 found[2] = {};

	if (pattern->protocol && pattern->protocol != packet->protocol)
		return false;
	barrier_var(last); /* or Linux 6.1 does not see that it is bounded */
	if (last >= sizeof(found) || at + last >= packet->end)
		return false;
	if (bpf_xdp_load_bytes(ctx, at, found, last + 1))
		return false;
	return !(((found[0] ^ bytes[0]) & mask[0]) |
		 ((found[1] ^ bytes[1]) & mask[1]));
}

/* The rows of a policy are numbered from 0 without a gap. */
static __always_inline enum verdict cm_patterns(struct xdp_md *ctx,
						const struct packet *packet,
						__u32 policy_id, __u32 side)
{
	struct policy_pattern key = { .policy = policy_id };

	if (packet->fragment == LATER_FRAGMENT)
		return PASS;
	for (__u32 index = 0; index < MAX_PATTERNS; index++) {
		struct pattern *pattern;

		key.index = index;
		pattern = ws_lookup(patterns, side, &key);
		if (!pattern)
			break;
		if (matches(ctx, packet, pattern))
			return PATTERN;
	}
	return PASS;
}

#endif
