/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Sources that are let in or kept out whoever they send to. */
#ifndef SCRUBBER_PREFIXES_H
#define SCRUBBER_PREFIXES_H

#include "constants.h"
#include "parse.h"
#include "tables.h"
#include "verdicts.h"

/* PASS when no table names the source. */
static __always_inline enum verdict judge_source_v4(const struct iphdr *ip,
						    __u32 side)
{
	struct prefix_v4 prefix = { .prefixlen = 32 };
	struct address_v4 address;

	__builtin_memcpy(prefix.address, &ip->saddr, sizeof(prefix.address));
	__builtin_memcpy(&address, &ip->saddr, sizeof(address));
	if (with_allow_prefixes && ws_lookup(allow_v4, side, &prefix))
		return ALLOW_PREFIX;
	if (with_deny_addresses && ws_lookup(deny_address_v4, side, &address))
		return DENY_ADDRESS;
	if (with_deny_prefixes && ws_lookup(deny_v4, side, &prefix))
		return DENY_PREFIX_V4;
	return PASS;
}

static __always_inline enum verdict judge_source_v6(const struct ipv6hdr *ip,
						    __u32 side)
{
	struct prefix_v6 prefix = { .prefixlen = 128 };
	struct address_v6 address;

	__builtin_memcpy(prefix.address, &ip->saddr, sizeof(prefix.address));
	__builtin_memcpy(&address, &ip->saddr, sizeof(address));
	if (with_allow_prefixes && ws_lookup(allow_v6, side, &prefix))
		return ALLOW_PREFIX;
	if (with_deny_addresses && ws_lookup(deny_address_v6, side, &address))
		return DENY_ADDRESS;
	if (with_deny_prefixes && ws_lookup(deny_v6, side, &prefix))
		return DENY_PREFIX_V6;
	return PASS;
}

#endif
