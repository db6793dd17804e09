/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Fragments hide what follows the first one, so a policy may take none. */
#ifndef SCRUBBER_CM_FRAGMENTS_H
#define SCRUBBER_CM_FRAGMENTS_H

#include "tables.h"
#include "verdicts.h"

static __always_inline enum verdict cm_fragments(const struct packet *packet,
						 const struct policy *policy)
{
	if (packet->fragment == WHOLE)
		return PASS;
	if (policy->fragments == FRAGMENTS_DENY_UDP &&
	    packet->protocol != IPPROTO_UDP)
		return PASS;
	return FRAGMENT;
}

#endif
