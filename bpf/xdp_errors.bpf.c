// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Counts what the kernel itself says went wrong with the frames of one NIC
 * after its XDP program: include/trace/events/xdp.h, the same from Linux 5.18
 * to 7.2. Sits at tracepoints that are passed only when something fails, and
 * at the one for each bulk that is sent to another device.
 */
#include <stdbool.h>
#include <wirespeed.h>

struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct net {
	struct ns_common ns;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

/* In the order of Event in diagnose/xdp_errors.py. */
enum event {
	EXCEPTION,
	REDIRECT,
	SENT,
};

struct failure {
	__u32 event;
	__s32 number; /* of an exception the action, else the errno */
};

WS_RODATA(__s32, watched) = 0;
WS_RODATA(__u32, of_namespace) = 0;
WS_MAP(BPF_MAP_TYPE_HASH, failures, struct failure, __u64, 256, 0);

static __always_inline void note_failure(__u32 event, __s32 number,
					 __u64 frames)
{
	struct failure failure = { .event = event, .number = number };
	__u64 none = 0, *count;

	bpf_map_update_elem(&failures, &failure, &none, BPF_NOEXIST);
	count = bpf_map_lookup_elem(&failures, &failure);
	if (count)
		__sync_fetch_and_add(count, frames);
}

/*
 * `ctx` holds the arguments of the tracepoint, one in each word. Containers
 * number their devices from 1 again, so the namespace decides too.
 */
static __always_inline bool ours(const __u64 *ctx)
{
	const struct net_device *dev = (const void *)ctx[0];

	return dev->ifindex == watched &&
	       dev->nd_net.net->ns.inum == of_namespace;
}

/* dev, prog, act */
SEC("tp_btf/xdp_exception")
int exception(__u64 *ctx)
{
	if (ours(ctx))
		note_failure(EXCEPTION, ctx[2], 1);
	return 0;
}

/* dev, prog, target, err, map_type, map_id, index; for targets in a map too */
SEC("tp_btf/xdp_redirect_err")
int redirect(__u64 *ctx)
{
	if (ours(ctx))
		note_failure(REDIRECT, -(__s32)ctx[3], 1);
	return 0;
}

/* from_dev, to_dev, sent, drops, err */
SEC("tp_btf/xdp_devmap_xmit")
int sent(__u64 *ctx)
{
	__s32 dropped = ctx[3], error = ctx[4];

	if (dropped > 0 && ours(ctx))
		note_failure(SENT, error < 0 ? -error : 0, dropped);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
