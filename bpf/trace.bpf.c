// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * The tracer that a pipeline jumps to once it has judged a packet: the last
 * program of the packet's way, which gives the action that was noted.
 */
#include <wirespeed_trace.h>

#define READ(to, bytes, from) bpf_xdp_load_bytes(from, 0, to, bytes)

#include "trace/trace.h"

/* A program array takes only programs that treat frames alike. */
#ifdef WS_FRAGS
#define SECTION "xdp.frags"
#else
#define SECTION "xdp"
#endif

SEC(SECTION)
int wirespeed_trace(struct xdp_md *ctx)
{
	struct ws_notes *notes = ws_notes_here();
	__u32 length = ws_frame_bytes(ctx);

	if (!notes) /* never: the verifier cannot know */
		return XDP_ABORTED;
	if (!ifindex || ctx->ingress_ifindex == ifindex)
		trace(ctx, &notes->ready, length, length, ctx->rx_queue_index);
	return notes->ready.action;
}

char _license[] SEC("license") = "Dual BSD/GPL";
