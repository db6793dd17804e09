/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Which packets are traced: the loader sets it. What nobody asks costs nothing.
 */
#ifndef TRACE_CHOICE_H
#define TRACE_CHOICE_H

#include "record.h"

WS_RODATA(__u32, ifindex) = 0;
WS_RODATA(__u32, actions) = 0; /* bit n: XDP action n */
WS_RODATA(__u64, verdicts) = 0; /* bit n: verdict n */
WS_RODATA(__u32, of_customer) = 0;
WS_RODATA(__u32, customer) = 0;
WS_RODATA(__u32, of_policy) = 0;
WS_RODATA(__u32, policy) = 0;
WS_RODATA(__u32, sample) = 1; /* one of so many */
WS_RODATA(__u32, snaplen) = ROOM;
WS_RODATA(__u32, window) = ROOM; /* bytes that the filter can look at */
WS_RODATA(__u64, interval) = 0; /* ns for each record; 0: no limit */
WS_RODATA(__u64, burst) = 0; /* ns that may be saved up */

/* One of the actions or verdicts that were asked for. */
static __always_inline int met(const struct ws_note *note)
{
	if (note->action < 32 && actions & 1u << (note->action & 31))
		return 1;
	return note->flags & WS_NOTE_READY && note->verdict < 64 &&
	       verdicts & 1ull << (note->verdict & 63);
}

static __always_inline int chosen(const struct ws_note *note)
{
	if ((actions || verdicts) && !met(note))
		return 0;
	if (of_customer || of_policy) {
		if (!(note->flags & WS_NOTE_OWNED))
			return 0;
		if (of_customer && note->customer != customer)
			return 0;
		if (of_policy && note->policy != policy)
			return 0;
	}
	return 1;
}

#define TRIES 4

/* Whether the rate allows one more, however many CPUs write. */
static __always_inline int in_time(struct pace *pace, __u64 now)
{
	__u64 *due = &pace->due;

	if (!interval)
		return 1;
#pragma unroll
	for (int i = 0; i < TRIES; i++) {
		__u64 before = *(volatile __u64 *)due;
		__u64 from = before + burst < now ? now - burst : before;

		if (from > now)
			return 0;
		if (__sync_val_compare_and_swap(due, before, from + interval) ==
		    before)
			return 1;
	}
	return 0;
}

#endif
