/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What becomes of a packet, and how that is counted. */
#ifndef SCRUBBER_VERDICTS_H
#define SCRUBBER_VERDICTS_H

#include "constants.h"
#include "state.h"

/* In the order of `verdicts` in scrubber.pipeline.yml. */
enum verdict {
	PASS,
	NOT_INSPECTED,
	DENY_PREFIX_V4,
	DENY_PREFIX_V6,
	MALFORMED,
	ALLOW_PREFIX,
	DENY_ADDRESS,
	POLICY_ALLOW,
	POLICY_DENY,
	FRAGMENT,
	AMPLIFICATION,
	PORT,
	PATTERN,
	SYN_CHALLENGE,
	SYN_COOKIES,
	NO_CONNECTION,
	RATE_LIMIT,
	DRY_RUN,
	VERDICTS,
};

WS_VERDICTS(VERDICTS);

static __always_inline bool lets_in(enum verdict verdict)
{
	return verdict == PASS || verdict == NOT_INSPECTED ||
	       verdict == ALLOW_PREFIX || verdict == POLICY_ALLOW ||
	       verdict == DRY_RUN;
}

static __always_inline int action_of(enum verdict verdict)
{
	if (lets_in(verdict))
		return XDP_PASS;
	return verdict == SYN_CHALLENGE ? XDP_TX : XDP_DROP;
}

/* Whose packet met which verdict; `dry_run`: would have met it. */
struct entity {
	__u32 customer;
	__u32 policy;
	__u16 verdict;
	__u16 dry_run;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1 << 14);
	__type(key, struct entity);
	__type(value, struct ws_count);
} entities SEC(".maps");

/* The first packet of an entity makes its counter. When there is no room for
 * it the packet is counted in `state_events` alone. */
static __always_inline void count_entity(const struct entity *entity,
					 __u64 bytes)
{
	struct ws_count first = { .packets = 1, .bytes = bytes };
	struct ws_count *count = bpf_map_lookup_elem(&entities, entity);

	if (count) {
		count->packets++;
		count->bytes += bytes;
	} else if (bpf_map_update_elem(&entities, entity, &first, BPF_ANY)) {
		note(ENTITY_NO_ROOM);
	}
}

#endif
