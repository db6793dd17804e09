// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * A ledger of numbered frames: each frame from a source in `numbered` carries
 * a number in its UDP payload, is noted under it and dropped. All generations
 * write one ledger, so a frame is in it once, twice, or never.
 */
#include <wirespeed.h>
#include <bpf/bpf_endian.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

WS_PIPELINE("ledger", "1.0.0");

/* In the order of `verdicts` in ledger.pipeline.yml. */
enum verdict {
	PASSED,
	COUNTED,
	VERDICTS,
};

WS_VERDICTS(VERDICTS);

/* Differs between any two generations. */
WS_RODATA(__u32, edition) = 0;

/* A byte for each number, added to as parts of words: eight bits are no size
 * for an atomic. */
#define PAGE 4096

struct page {
	__u32 words[PAGE / 4];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct page);
} seen SEC(".maps");

/* The edition that noted the last frame. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} latest SEC(".maps");

struct prefix {
	__u32 prefixlen;
	__u8 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u8);
} numbered SEC(".maps");

/* "WSLAB" and a zero. */
#define MARK 0x57534c41
#define MARK_END 0x4200

struct frame {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct udphdr udp;
	__be32 mark;
	__be16 mark_end;
	__be64 number;
} __attribute__((packed));

static __always_inline int is_numbered(struct frame *frame)
{
	struct prefix source = { .prefixlen = 32 };

	if (frame->ethernet.h_proto != bpf_htons(ETH_P_IP) ||
	    frame->ip.ihl != 5 || frame->ip.protocol != IPPROTO_UDP ||
	    frame->mark != bpf_htonl(MARK) ||
	    frame->mark_end != bpf_htons(MARK_END))
		return 0;
	__builtin_memcpy(source.address, &frame->ip.saddr,
			 sizeof(source.address));
	return !!bpf_map_lookup_elem(&numbered, &source);
}

/* False when the ledger has no room for the number. */
static __always_inline int note(__u64 number)
{
	__u32 index = number / PAGE, at = number % PAGE, zero = 0;
	struct page *page = bpf_map_lookup_elem(&seen, &index);
	__u32 *last = bpf_map_lookup_elem(&latest, &zero);

	if (!page || !last || number / PAGE != index)
		return 0;
	__sync_fetch_and_add(&page->words[at / 4], 1U << (at % 4 * 8));
	*last = edition;
	return 1;
}

SEC("xdp")
int ledger(struct xdp_md *ctx)
{
	struct frame *frame = (void *)(long)ctx->data;

	if ((void *)(frame + 1) > (void *)(long)ctx->data_end ||
	    !is_numbered(frame) || !note(bpf_be64_to_cpu(frame->number)))
		return ws_verdict(ctx, PASSED, XDP_PASS);
	return ws_verdict(ctx, COUNTED, XDP_DROP);
}

char _license[] SEC("license") = "Dual BSD/GPL";
