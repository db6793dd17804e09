/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the program does at all: `constants` of the manifest. The verifier takes
 * the code of what is false out of the program, so it costs nothing.
 */
#ifndef SCRUBBER_CONSTANTS_H
#define SCRUBBER_CONSTANTS_H

#include <stdbool.h>
#include <wirespeed.h>

WS_RODATA(bool, with_allow_prefixes) = true;
WS_RODATA(bool, with_deny_addresses) = true;
WS_RODATA(bool, with_deny_prefixes) = true;

/* Customers and their policies; all that follows needs it. */
WS_RODATA(bool, with_policies) = true;
WS_RODATA(bool, with_entity_counters) = true;
WS_RODATA(bool, with_policy_prefixes) = true;
WS_RODATA(bool, with_fragments) = true;
WS_RODATA(bool, with_amplification) = true;
WS_RODATA(bool, with_ports) = true;
WS_RODATA(bool, with_patterns) = true;
WS_RODATA(bool, with_syn_cookies) = true;
WS_RODATA(bool, with_connections) = true;
WS_RODATA(bool, with_rate_limit) = true;

/* Whether what customers send is noted, so that the answers are let in: where
 * the program sees it. Costs a look-up for each packet that is let in. */
WS_RODATA(bool, with_outbound) = false;

#endif
