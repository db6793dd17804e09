/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the program learns. Entries end by the clock: one that is too old is
 * taken for absent where it is looked up, whether or not it is still there.
 * Sizes and the kind of LRU list are the manifest's.
 */
#ifndef SCRUBBER_STATE_H
#define SCRUBBER_STATE_H

#include <wirespeed.h>
#include "packet.h"

#define NS_PER_MS 1000000ULL

/* Seen from the customer: packets of both directions have one flow. */
struct flow_key {
	struct address inside;
	struct address outside;
	__be16 inside_port;
	__be16 outside_port;
	__u32 policy;
	__u16 version;
	__u16 protocol;
};

enum flow_state {
	FLOW_OPENING = 1,
	FLOW_ESTABLISHED,
	FLOW_CLOSING,
};

struct flow {
	__u64 last_seen;
	__u64 state;
};

struct source_key {
	struct address source;
	__u32 policy;
	__u32 version;
};

/* A full bucket is one whose `full_at` has passed. */
struct bucket {
	__u64 full_at;
};

struct verified {
	__u64 since;
};

WS_STATE(BPF_MAP_TYPE_LRU_HASH, flows, struct flow_key, struct flow, 1 << 16);
WS_STATE(BPF_MAP_TYPE_LRU_HASH, buckets, struct source_key, struct bucket,
	 1 << 16);
WS_STATE(BPF_MAP_TYPE_LRU_HASH, verified, struct source_key, struct verified,
	 1 << 16);

/* In the order of the table in docs/scrubber.md. An LRU map that is full
 * makes room by itself: entries put in beyond its size tell how many went. */
enum state_event {
	FLOW_MADE,
	FLOW_EXPIRED,
	FLOW_NO_ROOM,
	BUCKET_MADE,
	BUCKET_NO_ROOM,
	VERIFIED_MADE,
	VERIFIED_EXPIRED,
	VERIFIED_NO_ROOM,
	ENTITY_NO_ROOM,
	STATE_EVENTS,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STATE_EVENTS);
	__type(key, __u32);
	__type(value, __u64);
} state_events SEC(".maps");

static __always_inline void note(enum state_event event)
{
	__u32 index = event;
	__u64 *count = bpf_map_lookup_elem(&state_events, &index);

	if (count)
		(*count)++;
}

/* Another CPU's clock may be a moment ahead of this one's. */
static __always_inline bool older_than(__u64 then, __u64 now, __u32 timeout)
{
	return now > then && now - then > timeout * NS_PER_MS;
}

static __always_inline struct source_key source_of(const struct packet *packet,
						   __u32 policy)
{
	struct source_key key = { .source = packet->source,
				  .policy = policy,
				  .version = packet->version };

	return key;
}

#endif
