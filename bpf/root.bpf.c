// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * The root: attached to a NIC once and then left alone. It jumps to whatever
 * sits in slot 0, so that publishing new code is one write to a pinned array
 * and never enters the NIC's driver.
 */
#include <wirespeed.h>

/* Version of the pins around this program: docs/pinning.md. */
#define WS_PIN_PROTOCOL 2

/*
 * Built twice: a program array takes only programs that treat frames of
 * several buffers as its first one does, and this program is the first.
 */
#ifdef WS_FRAGS
#define WS_ROOT_SECTION "xdp.frags"
#define WS_ROOT_FRAGS 1
#else
#define WS_ROOT_SECTION "xdp"
#define WS_ROOT_FRAGS 0
#endif

WS_RODATA(__u32, bpf_metadata_wirespeed_protocol) = WS_PIN_PROTOCOL;
WS_RODATA(__u32, bpf_metadata_wirespeed_root_abi) = WS_ROOT_ABI;
WS_RODATA(__u32, bpf_metadata_wirespeed_frags) = WS_ROOT_FRAGS;

/* Whose root this is; the loader fills it in. */
WS_RODATA(char, bpf_metadata_wirespeed_pipeline[64]) = "";

/* The verdict while no instance is published (manifest: root.empty_slot). */
WS_RODATA(__u32, empty_slot_action) = XDP_PASS;

/* Must stay pinned: the kernel clears a program array with its last user. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} slots SEC(".maps");

/* Packets that met an empty slot: no pipeline has seen them. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ws_count);
} empty_slot SEC(".maps");

SEC(WS_ROOT_SECTION)
int wirespeed_root(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &slots, WS_SLOT_ENTRY);
	ws_count(&empty_slot, 0, ws_frame_bytes(ctx));
	return empty_slot_action;
}

char _license[] SEC("license") = "Dual BSD/GPL";
