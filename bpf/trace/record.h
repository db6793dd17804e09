/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What a tracer writes for a packet, and counts (trace/record.py reads it). */
#ifndef TRACE_RECORD_H
#define TRACE_RECORD_H

#include <wirespeed_trace.h>

/* Bytes of a packet that can be looked at and kept. */
#define ROOM 16384

struct record {
	__u64 at; /* ns, CLOCK_MONOTONIC */
	__u64 id;
	__u32 lost; /* since the record before */
	__u32 queue;
	__u32 length;
	__u32 captured;
	struct ws_note note;
};

/* Of one CPU. A packet that matches is written, or lost for one of two
 * reasons: `limited` by the rate, or without room in the ring. */
struct tally {
	__u64 seen;
	__u64 matched;
	__u64 written;
	__u64 limited;
	__u64 no_room;
};

/* Of all CPUs: when the next record is due (ns), and how many packets that
 * matched were lost since the last one. */
struct pace {
	__u64 due;
	__u64 lost;
};

struct desk {
	struct record record;
	__u8 bytes[ROOM];
};

WS_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, desks, __u32, struct desk, 1, 0);
WS_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, tallies, __u32, struct tally, 1, 0);
WS_MAP(BPF_MAP_TYPE_ARRAY, paces, __u32, struct pace, 1, 0);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 23);
} records SEC(".maps");

#endif
