// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Carries the entries of one map into another one of a new layout, in the
 * kernel: a million entries in about half a second, and each counter is taken
 * from its old place in one instruction. So a run that is repeated after a
 * kill adds nothing twice.
 *
 * The loader puts the real maps into the place of `source` and `target`.
 */
#include <wirespeed.h>

#define LARGEST_VALUE 4096
#define EEXIST 17

enum mode {
	COPY, /* what differs in the target is overwritten */
	INSERT, /* what the target has stays; only counters are added to it */
	ADD, /* every number is a counter */
};

/* In and out of one run; all but `cpu` are sums. */
struct tally {
	__u32 cpu; /* whose values of a per-CPU source */
	__u32 pad;
	__u64 visited;
	__u64 written;
	__u64 existed;
	__u64 failed;
	__u64 dropped;
};

WS_RODATA(__u32, mode) = INSERT;
WS_RODATA(__u32, percpu) = 0;
WS_RODATA(__u32, remapped) = 0;
WS_RODATA(__u32, value_bytes) = 0;
WS_RODATA(struct ws_moves, moves) = {};

WS_MAP(BPF_MAP_TYPE_HASH, source, __u32, __u64, 1, 0);
WS_MAP(BPF_MAP_TYPE_HASH, target, __u32, __u64, 1, 0);

/* Of an array whose elements have changed places: old index -> new one + 1. */
WS_MAP(BPF_MAP_TYPE_ARRAY, remap, __u32, __u32, 1, 0);

/* One writer holds the node's lock, so one value is enough. */
static __u64 value[LARGEST_VALUE / 8];

static __always_inline int differs(const void *entry)
{
	__u64 found = 0;
	__u32 at;

	for (at = 0; at + 8 <= value_bytes; at += 8)
		found |=
			*(__u64 *)(entry + at) ^ *(__u64 *)((void *)value + at);
	for (; at < value_bytes; at++)
		found |= *(__u8 *)(entry + at) ^ *(__u8 *)((void *)value + at);
	return found != 0;
}

static __always_inline void copy(const void *key, void *old,
				 struct tally *tally)
{
	void *entry;

	ws_each_move(i, &moves) ws_move(value, old, &moves.move[i], 0);
	entry = bpf_map_lookup_elem(&target, key);
	if (entry && !differs(entry))
		tally->existed++;
	else if (bpf_map_update_elem(&target, key, value, BPF_ANY))
		tally->failed++;
	else
		tally->written++;
}

static __always_inline void insert(const void *key, void *old,
				   struct tally *tally)
{
	void *entry;
	long failed;

	ws_each_move(i, &moves) ws_move(value, old, &moves.move[i], 1);
	failed = bpf_map_update_elem(&target, key, value, BPF_NOEXIST);
	if (!failed) {
		tally->written++;
		return;
	}
	entry = failed == -EEXIST ? bpf_map_lookup_elem(&target, key) : NULL;
	if (entry) {
		tally->existed++;
		ws_each_move(i, &moves) ws_give(entry, value, &moves.move[i]);
	} else {
		tally->failed++;
		ws_each_move(i, &moves)
			ws_give_back(old, value, &moves.move[i]);
	}
}

/*
 * A counter of a per-CPU target is the one of the CPU that this runs on. Its
 * program counts without atomics, but in softirq: it cannot come between the
 * halves of one instruction, nor this between the halves of its own.
 */
static __always_inline void add(const void *key, void *old, struct tally *tally)
{
	void *entry = bpf_map_lookup_elem(&target, key);

	if (!entry) {
		bpf_map_update_elem(&target, key, value, BPF_NOEXIST);
		entry = bpf_map_lookup_elem(&target, key);
		tally->written += entry != NULL;
	} else {
		tally->existed++;
	}
	if (!entry) {
		tally->failed++;
		return;
	}
	ws_each_move(i, &moves)
	{
		const volatile struct ws_move *move = &moves.move[i];
		__u32 from = move->from, to = move->to, count = move->count;
		__u32 size = move->size, width = move->width;
		__u32 flags = move->flags;

		for (__u32 n = 0; n < count; n++) {
			__u64 number = ws_take(old + from + n * size, size);

			if (flags & WS_MOVE_SIGNED)
				number = ws_extend(number, size);
			if (number)
				ws_add(entry + to + n * width, width, number);
		}
	}
}

static long carry(void *map, const void *key, void *old, struct tally *tally)
{
	__u32 index;

	(void)map;
	tally->visited++;
	if (percpu)
		old = bpf_map_lookup_percpu_elem(&source, key, tally->cpu);
	if (!old)
		return 0;
	if (remapped) {
		__u32 *found = bpf_map_lookup_elem(&remap, key);

		if (!found || !*found) {
			tally->dropped++;
			return 0;
		}
		index = *found - 1;
		key = &index;
	}
	ws_clear(value, value_bytes);
	if (mode == COPY)
		copy(key, old, tally);
	else if (mode == INSERT)
		insert(key, old, tally);
	else
		add(key, old, tally);
	return 0;
}

SEC("syscall")
int handover(struct tally *said)
{
	struct tally tally = { .cpu = said->cpu };

	bpf_for_each_map_elem(&source, carry, &tally, 0);
	*said = tally;
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
