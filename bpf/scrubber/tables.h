/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The configuration. Each table has two sides (wirespeed_config.h), so that a
 * packet is judged by one configuration. Rows are written in documents by the
 * names of the members here (docs/scrubber.md).
 *
 * Entries are allocated one by one: a limit that is not used costs no memory.
 */
#ifndef SCRUBBER_TABLES_H
#define SCRUBBER_TABLES_H

#include <stdbool.h>
#include <linux/types.h>
#include <wirespeed_config.h>

#define PATTERN_BYTES 16

WS_CONFIG;

struct prefix_v4 {
	__u32 prefixlen;
	__u8 address[4];
};

struct prefix_v6 {
	__u32 prefixlen;
	__u8 address[16];
};

/* All bits of `policy` must match: they are counted in the length. */
struct policy_prefix_v4 {
	__u32 prefixlen;
	__u32 policy;
	__u8 address[4];
};

struct policy_prefix_v6 {
	__u32 prefixlen;
	__u32 policy;
	__u8 address[16];
};

struct address_v4 {
	__u8 address[4];
};

struct address_v6 {
	__u8 address[16];
};

struct customer {
	__u32 customer;
	__u32 policy;
};

enum action {
	ACTION_ALLOW,
	ACTION_DENY,
};

enum fragments {
	FRAGMENTS_DENY,
	FRAGMENTS_DENY_UDP,
};

/* Bits of policy.countermeasures: `countermeasures` in scrubber.pipeline.yml.
 */
enum countermeasures {
	CM_FRAGMENTS = 1,
	CM_AMPLIFICATION = 2,
	CM_PORTS = 4,
	CM_PATTERNS = 8,
	CM_SYN_COOKIES = 16,
	CM_CONNECTIONS = 32,
	CM_UDP_PAIRS = 64,
	CM_RATE_LIMIT = 128,
};

/* Timeouts in milliseconds; `rate` in packets per second of one source. */
struct policy {
	__u32 countermeasures;
	enum fragments fragments;
	enum action other_ports;
	__u32 rate;
	__u32 burst;
	__u32 opening_timeout;
	__u32 established_timeout;
	__u32 closing_timeout;
	__u32 udp_timeout;
	__u32 verified_timeout;
	bool dry_run;
};

/* Port 0 stands for the protocol as a whole. */
struct policy_port {
	__u32 policy;
	__be16 port;
	__u16 protocol;
};

struct policy_pattern {
	__u32 policy;
	__u32 index;
};

/* `offset` from the beginning of the payload; protocol 0 is any. */
struct pattern {
	__u8 bytes[PATTERN_BYTES];
	__u8 mask[PATTERN_BYTES];
	__u16 offset;
	__u8 length;
	__u8 protocol;
};

#define TABLE(map_type, name, key_type, value_type, entries) \
	struct name {                                        \
		__uint(type, map_type);                      \
		__uint(max_entries, entries);                \
		__uint(map_flags, BPF_F_NO_PREALLOC);        \
		__type(key, key_type);                       \
		__type(value, value_type);                   \
	};                                                   \
	WS_TABLE(name)

#define TRIE(name, key_type, value_type, entries) \
	TABLE(BPF_MAP_TYPE_LPM_TRIE, name, key_type, value_type, entries)

#define HASH(name, key_type, value_type, entries) \
	TABLE(BPF_MAP_TYPE_HASH, name, key_type, value_type, entries)

TRIE(allow_v4, struct prefix_v4, __u8, 1 << 16);
TRIE(allow_v6, struct prefix_v6, __u8, 1 << 16);
HASH(deny_address_v4, struct address_v4, __u8, 1 << 16);
HASH(deny_address_v6, struct address_v6, __u8, 1 << 16);
TRIE(deny_v4, struct prefix_v4, __u8, 1 << 20);
TRIE(deny_v6, struct prefix_v6, __u8, 1 << 20);
TRIE(customers_v4, struct prefix_v4, struct customer, 1 << 16);
TRIE(customers_v6, struct prefix_v6, struct customer, 1 << 16);
HASH(policies, __u32, struct policy, 1 << 14);
TRIE(policy_prefixes_v4, struct policy_prefix_v4, enum action, 1 << 20);
TRIE(policy_prefixes_v6, struct policy_prefix_v6, enum action, 1 << 20);
HASH(amplifiers, __be16, __u8, 1 << 10);
HASH(ports, struct policy_port, enum action, 1 << 16);
HASH(patterns, struct policy_pattern, struct pattern, 1 << 14);

#endif
