/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A token bucket for each source and policy. It is kept as the one moment at
 * which it will be full again (the generic cell rate algorithm): a packet moves
 * that on by the time of one token, and is too many when it would lie further
 * ahead than the whole burst takes. One word, changed by compare and swap, so
 * CPUs that share a source neither lose a token nor wait for a lock.
 */
#ifndef SCRUBBER_CM_RATE_LIMIT_H
#define SCRUBBER_CM_RATE_LIMIT_H

#include "tables.h"
#include "verdicts.h"

#define NS_PER_SECOND 1000000000ULL

/* The coarse clock advances every tick, at most 10 ms apart (HZ=100): a burst
 * that takes less time needs the precise one, which costs more. */
#define COARSE_ENOUGH (20 * NS_PER_MS)
#define SWAP_TRIES 4

/* An IPv6 site has at least a /64 to send from (RFC 6177), so that is one
 * source. */
static __always_inline struct source_key limited(const struct packet *packet,
						 __u32 policy_id)
{
	struct source_key key = source_of(packet, policy_id);

	if (packet->version == 6)
		key.source.word[2] = key.source.word[3] = 0;
	return key;
}

/* False when there is none left. */
static __always_inline bool take_token(struct bucket *bucket, __u64 now,
				       __u64 interval, __u64 burst)
{
#pragma unroll
	for (int i = 0; i < SWAP_TRIES; i++) {
		__u64 was = *(volatile __u64 *)&bucket->full_at;
		__u64 then = (was > now ? was : now) + interval;

		if (then - now > burst)
			return false;
		if (__sync_val_compare_and_swap(&bucket->full_at, was, then) ==
		    was)
			return true;
	}
	return true; /* so many CPUs at once: let in, not counted */
}

static __always_inline enum verdict cm_rate_limit(const struct packet *packet,
						  const struct policy *policy,
						  __u32 policy_id)
{
	struct source_key key = limited(packet, policy_id);
	struct bucket full = {};
	struct bucket *bucket;
	__u64 interval, burst, now;

	if (!policy->rate)
		return RATE_LIMIT;
	interval = NS_PER_SECOND / policy->rate;
	burst = interval * policy->burst;
	now = burst < COARSE_ENOUGH ? bpf_ktime_get_ns()
				    : bpf_ktime_get_coarse_ns();
	bucket = buckets_lookup(&key);
	if (!bucket) {
		bucket = buckets_lookup_or_init(&key, &full);
		note(bucket ? BUCKET_MADE : BUCKET_NO_ROOM);
	}
	if (!bucket)
		return PASS;
	return take_token(bucket, now, interval, burst) ? PASS : RATE_LIMIT;
}

#endif
