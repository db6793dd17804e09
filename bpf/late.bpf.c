// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Notes how long each CPU takes no timer interrupt, while a timer of it is set
 * to beat: one that does not take it was kept from it, by a hypervisor, the
 * firmware or a stretch of the kernel with interrupts off.
 *
 * Sits at the tracepoint of timers that expire, not at the beat itself: a
 * program of a perf event is passed over while the CPU is in a map's update
 * (kernel/bpf/syscall.c bpf_disable_instrumentation), which looked like a gap.
 */
#include <wirespeed.h>

#define SIZES 16

/* From 2^n to 2^(n+1) milliseconds each. */
struct gaps {
	__u64 late; /* nanoseconds, all together */
	__u64 times;
};

struct beat {
	__u64 last; /* nanoseconds of the monotonic clock */
	__u64 longest; /* between two beats */
	struct gaps gaps[SIZES];
};

WS_RODATA(__u64, limit) = 0;
WS_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, beats, __u32, struct beat, 1, 0);

static __always_inline __u32 size_of(__u64 milliseconds)
{
	__u32 size = 0;

	while (milliseconds > 1 && size < SIZES - 1) {
		milliseconds >>= 1;
		size++;
	}
	return size & (SIZES - 1);
}

/* hrtimer, now */
SEC("tp_btf/hrtimer_expire_entry")
int late(__u64 *ctx)
{
	__u32 only = 0;
	struct beat *beat = bpf_map_lookup_elem(&beats, &only);
	__u64 now = bpf_ktime_get_ns(), gap;
	struct gaps *alike;

	(void)ctx;
	if (!beat)
		return 0;
	gap = beat->last ? now - beat->last : 0;
	beat->last = now;
	if (gap > beat->longest)
		beat->longest = gap;
	if (gap > limit) {
		alike = &beat->gaps[size_of(gap / 1000000)];
		alike->late += gap;
		alike->times++;
	}
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
