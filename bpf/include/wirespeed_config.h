/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Tables that change together: each has two sides, one word says which of them
 * is live, and a packet reads that word once.
 *
 *	WS_CONFIG;
 *
 *	struct routes {
 *		__uint(type, BPF_MAP_TYPE_LPM_TRIE);
 *		...
 *	};
 *	WS_TABLE(routes);
 *
 *	__u32 side = ws_side();
 *	struct route *route = ws_lookup(routes, side, &key);
 *
 * Wirespeed fills the side that no packet reads and then writes the word, so
 * no packet sees rows of two configurations, whatever the tables it looks up.
 * A side is written again only when no program that read the word before can
 * still run. Costs two array lookups more than a plain map, which the verifier
 * inlines (kernel/bpf/arraymap.c, array_map_gen_lookup and
 * array_of_map_gen_lookup).
 */
#ifndef WIRESPEED_CONFIG_H
#define WIRESPEED_CONFIG_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#define WS_SIDES 2

/* Bit 0 is the live side, the bits above count the deliveries. One aligned
 * word of 64 bits: a reader sees it before or after a write, never between. */
#define WS_CONFIG                                 \
	struct {                                  \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(max_entries, 1);           \
		__type(key, __u32);               \
		__type(value, __u64);             \
	} ws_config SEC(".maps")

/* `name` is also the tag of the struct that declares one side, which needs
 * `__type` of key and value for rows to be typed. */
#define WS_TABLE(name)                                         \
	struct name name##_a SEC(".maps");                     \
	struct name name##_b SEC(".maps");                     \
	struct {                                               \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);      \
		__uint(max_entries, WS_SIDES);                 \
		__type(key, __u32);                            \
		__array(values, struct name);                  \
	} name SEC(".maps") = { .values = { (void *)&name##_a, \
					    (void *)&name##_b } }

/* Once a packet: two reads may fall on two sides. */
#define ws_side()                                                      \
	({                                                             \
		__u32 ws_first = 0;                                    \
		__u64 *ws_word;                                        \
                                                                       \
		ws_word = bpf_map_lookup_elem(&ws_config, &ws_first);  \
		(__u32)(ws_word ? *(volatile __u64 *)ws_word & 1 : 0); \
	})

/* The value, or NULL. `side` is a variable. */
#define ws_lookup(name, side, key)                                      \
	({                                                              \
		void *ws_inner = bpf_map_lookup_elem(&(name), &(side)); \
                                                                        \
		ws_inner ? bpf_map_lookup_elem(ws_inner, (key)) : NULL; \
	})

#endif
