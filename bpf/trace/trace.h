/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The tracer, as the story of a packet that has met its verdict: its note is
 * looked at, its bytes are laid on the desk, the filter runs over them, and
 * what is left of the packet goes into the ring. There is no wake-up: the
 * reader looks by itself, which costs the packets nothing.
 *
 * READ(to, bytes, from) of the including program reads the packet's front; it
 * gives 0 where it could.
 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include "choice.h"
#include "filter.h"
#include "record.h"

WS_RODATA(__u32, cpus) = 1;

static __always_inline int written(struct desk *desk, struct tally *tally,
				   struct pace *pace, __u64 now)
{
	struct record *record = &desk->record;
	__u64 bytes = record->captured;

	if (bytes > snaplen)
		bytes = snaplen;
	barrier_var(bytes);
	if (bytes > ROOM)
		return 0;
	record->captured = bytes;
	record->at = now;
	record->id = tally->matched * cpus + bpf_get_smp_processor_id();
	record->lost = 0;
	if (*(volatile __u64 *)&pace->lost)
		record->lost = __sync_lock_test_and_set(&pace->lost, 0);
	if (!bpf_ringbuf_output(&records, desk, sizeof(*record) + bytes,
				BPF_RB_NO_WAKEUP))
		return 1;
	if (record->lost)
		__sync_fetch_and_add(&pace->lost, record->lost);
	return 0;
}

static __always_inline void keep(struct desk *desk, struct tally *tally,
				 struct pace *pace)
{
	__u64 now = bpf_ktime_get_ns();

	tally->matched++;
	if (!in_time(pace, now)) {
		tally->limited++;
		__sync_fetch_and_add(&pace->lost, 1);
	} else if (!written(desk, tally, pace, now)) {
		tally->no_room++;
		__sync_fetch_and_add(&pace->lost, 1);
	} else {
		tally->written++;
	}
}

/* How many bytes lie on the desk then. */
static __always_inline __u64 laid(struct desk *desk, void *from, __u64 bytes)
{
	__u64 last = bytes - 1;

	barrier_var(last); /* or Linux 6.1 does not see that it is bounded */
	if (last >= ROOM || READ(desk->bytes, last + 1, from))
		return 0;
	return last + 1;
}

static __always_inline void trace(void *from, const struct ws_note *note,
				  __u32 length, __u32 readable, __u32 queue)
{
	__u32 first = 0;
	struct desk *desk = bpf_map_lookup_elem(&desks, &first);
	struct tally *tally = bpf_map_lookup_elem(&tallies, &first);
	struct pace *pace = bpf_map_lookup_elem(&paces, &first);
	__u64 bytes = readable < window ? readable : window;

	if (!desk || !tally || !pace)
		return;
	tally->seen++;
	if (!chosen(note))
		return;
	bytes = laid(desk, from, bytes);
	desk->record.note = *note;
	desk->record.length = length;
	desk->record.captured = bytes;
	desk->record.queue = queue;
	if (!accepted(desk, bytes, length))
		return;
	if (sample > 1 && bpf_get_prandom_u32() % sample)
		return;
	keep(desk, tally, pace);
}

#endif
