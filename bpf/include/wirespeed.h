// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * The Wirespeed SDK: what an XDP program includes to become a pipeline that
 * says who it is and counts its verdicts where `wirespeed counters` reads them.
 *
 *	#include <wirespeed.h>
 *
 *	WS_PIPELINE("edge", "1.4.0");
 *	WS_VERDICTS(EDGE_VERDICTS);
 *
 *	SEC("xdp")
 *	int edge(struct xdp_md *ctx)
 *	{
 *		return ws_verdict(ctx, EDGE_DENIED, XDP_DROP);
 *	}
 *
 * Nothing here is required: any object that libbpf loads can be a pipeline.
 * Without WS_PIPELINE it is known by its pins alone, without WS_VERDICTS it
 * has no verdict counters.
 */
#ifndef WIRESPEED_H
#define WIRESPEED_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/* Grows when the contract between a pipeline and its root changes. */
#define WS_ROOT_ABI 1

/* The slot of the root's program array that holds a pipeline's entry. */
#define WS_SLOT_ENTRY 0

/*
 * bpftool shows .rodata variables named bpf_metadata_* beside each program
 * (tools/bpf/bpftool/prog.c), so an instance can be told apart with nothing
 * of ours installed. The loader fills in the generation.
 */
#define WS_RODATA(type, name) volatile const type name SEC(".rodata")

#define WS_PIPELINE(name, version)                                   \
	WS_RODATA(char, bpf_metadata_wirespeed_pipeline[]) = name;   \
	WS_RODATA(char, bpf_metadata_wirespeed_version[]) = version; \
	WS_RODATA(char, bpf_metadata_wirespeed_generation[17]) = ""; \
	WS_RODATA(__u32, bpf_metadata_wirespeed_root_abi) = WS_ROOT_ABI

/* What `verdicts` holds per CPU for each verdict number. */
struct ws_count {
	__u64 packets;
	__u64 bytes;
};

/* One counter for each of `count` verdicts, named in the manifest in order. */
#define WS_VERDICTS(count)                               \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, count);              \
		__type(key, __u32);                      \
		__type(value, struct ws_count);          \
	} verdicts SEC(".maps")

static __always_inline __u64 ws_frame_bytes(struct xdp_md *ctx)
{
#ifdef WS_FRAGS
	return bpf_xdp_get_buff_len(ctx);
#else
	return ctx->data_end - ctx->data;
#endif
}

/* A counter belongs to one CPU, and XDP is not preempted by XDP: no atomics. */
static __always_inline void ws_count(void *counters, __u32 index, __u64 bytes)
{
	struct ws_count *count = bpf_map_lookup_elem(counters, &index);

	if (count) {
		count->packets++;
		count->bytes += bytes;
	}
}

/* Count `verdict` and return the XDP action that carries it out. */
#define ws_verdict(ctx, verdict, action)                             \
	({                                                           \
		ws_count(&verdicts, (verdict), ws_frame_bytes(ctx)); \
		(action);                                            \
	})

#include <wirespeed_state.h>

#endif
