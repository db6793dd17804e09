// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Connection tracking at its simplest: a SYN makes an entry, and a TCP segment
 * without one is dropped. Whoever loses the entries breaks every connection.
 */
#include <wirespeed.h>
#include <bpf/bpf_endian.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>

WS_PIPELINE("sessions", "1.0.0");

/* In the order of `verdicts` in sessions.pipeline.yml. */
enum verdict {
	OTHER,
	OPENED,
	KNOWN,
	UNKNOWN,
	VERDICTS,
};

WS_VERDICTS(VERDICTS);

/* Differs between any two generations. */
WS_RODATA(__u32, edition) = 0;

struct flow {
	__u8 source[4];
	__u8 destination[4];
	__u16 source_port;
	__u16 destination_port;
};

struct session {
	__u64 first_seen;
	__u64 packets;
	__u64 edition; /* the one that judged its last segment */
#ifdef WIDER
	__u64 bytes;
#endif
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct flow);
	__type(value, struct session);
} flows SEC(".maps");

struct frame {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

static __always_inline int inspect(struct xdp_md *ctx, struct frame *frame)
{
	struct session fresh = { .first_seen = bpf_ktime_get_ns() };
	struct session *known;
	struct flow flow;

	__builtin_memcpy(flow.source, &frame->ip.saddr, sizeof(flow.source));
	__builtin_memcpy(flow.destination, &frame->ip.daddr,
			 sizeof(flow.destination));
	flow.source_port = frame->tcp.source;
	flow.destination_port = frame->tcp.dest;
	if (frame->tcp.syn && !frame->tcp.ack) {
		bpf_map_update_elem(&flows, &flow, &fresh, BPF_NOEXIST);
		return ws_verdict(ctx, OPENED, XDP_PASS);
	}
	known = bpf_map_lookup_elem(&flows, &flow);
	if (!known)
		return ws_verdict(ctx, UNKNOWN, XDP_DROP);
	__sync_fetch_and_add(&known->packets, 1);
	known->edition = edition;
	return ws_verdict(ctx, KNOWN, XDP_PASS);
}

SEC("xdp")
int sessions(struct xdp_md *ctx)
{
	struct frame *frame = (void *)(long)ctx->data;

	if ((void *)(frame + 1) > (void *)(long)ctx->data_end ||
	    frame->ethernet.h_proto != bpf_htons(ETH_P_IP) ||
	    frame->ip.ihl != 5 || frame->ip.protocol != IPPROTO_TCP)
		return ws_verdict(ctx, OTHER, XDP_PASS);
	return inspect(ctx, frame);
}

char _license[] SEC("license") = "Dual BSD/GPL";
