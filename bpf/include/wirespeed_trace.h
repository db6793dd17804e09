/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A pipeline whose packets can be traced with what it decided, and for whom
 * (docs/trace.md).
 *
 *	#include <wirespeed_trace.h>
 *
 *	ws_note_owner(service->customer, service->policy);
 *	return ws_traced_verdict(ctx, DENIED, XDP_DROP);
 *
 * While nobody traces, `ws_trace` is 0 and the verifier takes all of this out.
 * For the time of a trace the same generation runs once more with 1: it leaves
 * a note of each packet and jumps to the tracer. When the tracer has gone the
 * jump goes nowhere, and the packet meets the same fate.
 */
#ifndef WIRESPEED_TRACE_H
#define WIRESPEED_TRACE_H

#include <wirespeed.h>

enum ws_note_flags {
	WS_NOTE_OWNED = 1, /* customer and policy are known */
	WS_NOTE_DRY_RUN = 2, /* `verdict` is what it would have met */
	WS_NOTE_READY = 4, /* of a packet that has just been judged */
};

/* What became of one packet. `verdict` is its number in the manifest. */
struct ws_note {
	__u32 customer;
	__u32 policy;
	__u32 action;
	__u16 verdict;
	__u16 flags;
};

/* `open` is what is known of the packet that is being judged. */
struct ws_notes {
	struct ws_note open;
	struct ws_note ready;
};

WS_RODATA(__u32, ws_trace) = 0;

WS_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, ws_notes, __u32, struct ws_notes, 1, 0);
WS_MAP(BPF_MAP_TYPE_PROG_ARRAY, ws_tracer, __u32, __u32, 1, 0);

/* A note belongs to one CPU, and XDP is not preempted by XDP. */
static __always_inline struct ws_notes *ws_notes_here(void)
{
	__u32 first = 0;

	return bpf_map_lookup_elem(&ws_notes, &first);
}

/* Whose packet it is: two numbers, which the manifest's `trace` names. */
static __always_inline void ws_note_owner(__u32 customer, __u32 policy)
{
	struct ws_notes *notes = ws_trace ? ws_notes_here() : NULL;

	if (notes) {
		notes->open.customer = customer;
		notes->open.policy = policy;
		notes->open.flags |= WS_NOTE_OWNED;
	}
}

/* The verdict that the packet would have met, had it been meant. */
static __always_inline void ws_note_dry_run(__u32 verdict)
{
	struct ws_notes *notes = ws_trace ? ws_notes_here() : NULL;

	if (notes) {
		notes->open.verdict = verdict;
		notes->open.flags |= WS_NOTE_DRY_RUN;
	}
}

/* Gives `action`: the last thing that a program does, on every path. */
static __always_inline int ws_traced(struct xdp_md *ctx, __u32 verdict,
				     int action)
{
	struct ws_notes *notes = ws_trace ? ws_notes_here() : NULL;

	if (notes) {
		if (!(notes->open.flags & WS_NOTE_DRY_RUN))
			notes->open.verdict = verdict;
		notes->open.action = action;
		notes->ready = notes->open;
		notes->ready.flags |= WS_NOTE_READY;
		notes->open.flags = 0;
		bpf_tail_call_static(ctx, &ws_tracer, 0);
	}
	return action;
}

/* Counts the frame as well: ws_verdict() for who is traced. */
#define ws_traced_verdict(ctx, verdict, action) \
	ws_traced((ctx), (verdict), ws_verdict((ctx), (verdict), (action)))

#endif
