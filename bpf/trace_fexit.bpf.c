// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * The tracer at the exit of any XDP program, ours or not, where the kernel
 * loads BPF trampolines. It runs once the program has returned, so it cannot
 * change what becomes of the packet. Of a frame in several buffers it sees the
 * first.
 */
#include <wirespeed_trace.h>

#define READ(to, bytes, from) bpf_probe_read_kernel(to, bytes, from)

#include "trace/trace.h"

/* Whether `ws_notes` is written by what is traced. */
WS_RODATA(__u32, with_notes) = 0;

/* The members that are read, wherever this kernel has them. */
struct net_device {
	int ifindex;
} __attribute__((preserve_access_index));

struct xdp_rxq_info {
	struct net_device *dev;
	__u32 queue_index;
} __attribute__((preserve_access_index));

struct xdp_buff {
	void *data;
	void *data_end;
	struct xdp_rxq_info *rxq;
} __attribute__((preserve_access_index));

/* The note is of this packet only once. */
static __always_inline void take_note(struct ws_note *note)
{
	struct ws_notes *notes = with_notes ? ws_notes_here() : NULL;

	if (!notes || !(notes->ready.flags & WS_NOTE_READY))
		return;
	*note = notes->ready;
	notes->ready.flags = 0;
}

SEC("fexit")
int wirespeed_trace(__u64 *arguments)
{
	struct xdp_buff *xdp = (void *)arguments[0];
	struct ws_note note = {};
	__u64 readable = xdp->data_end - xdp->data;

	take_note(&note);
	note.action = (__u32)arguments[1];
	if (!ifindex || (__u32)xdp->rxq->dev->ifindex == ifindex)
		trace(xdp->data, &note, bpf_xdp_get_buff_len((void *)xdp),
		      readable, xdp->rxq->queue_index);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
