// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Looks at each entry of a hash in the kernel and keeps numbers alone: how many
 * there are, how many of them are over, which are new since the walk before,
 * and whose they are. Nothing is copied out, no bucket is locked, and an LRU
 * map does not take it for use.
 *
 * A byte is written for each piece of the map, so that a read() of one byte
 * ends there: between two of them the CPU is free for packets.
 */
#include <wirespeed.h>

/* What bpf_iter hands over (kernel/bpf/map_iter.c, kernel/bpf/bpf_iter.c). */
struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

enum place { NOWHERE, IN_KEY, IN_VALUE };

WS_RODATA(__u32, key_bytes) = 0; /* 0: no prints are kept */
WS_RODATA(__u32, words) = 1; /* of one side of `prints`, a power of two */
WS_RODATA(__u32, expires) = 0;
WS_RODATA(__u32, time_at) = 0;
WS_RODATA(__u64, after) = 0; /* ns */
WS_RODATA(__u32, owner_in) = NOWHERE;
WS_RODATA(__u32, owner_at) = 0;
WS_RODATA(__u32, owner_bytes) = 0;
WS_RODATA(__u32, piece) = 1024;

/* In and out of one walk. */
struct {
	__u64 now;
	__u64 side; /* of `prints` that this walk fills */
	__u64 entries;
	__u64 expired;
	__u64 fresh; /* no print in the other side */
	__u64 squares; /* of the bits that are set, summed over this side's
			  words */
	__u64 unowned; /* found no room in `owners` */
} tally;

/* Two bits of a word for each key, by its hash: of this walk, and of the one
 * before. */
WS_MAP(BPF_MAP_TYPE_ARRAY, prints, __u32, __u64, 2, BPF_F_MMAPABLE);

WS_MAP(BPF_MAP_TYPE_HASH, owners, __u64, __u64, 1, 0);

static __always_inline __u64 number(const void *at, __u32 size)
{
	if (size == 8)
		return *(const __u64 *)at;
	if (size == 4)
		return *(const __u32 *)at;
	if (size == 2)
		return *(const __u16 *)at;
	return *(const __u8 *)at;
}

/* The finaliser of MurmurHash3: each bit in changes half of the bits out. */
static __always_inline __u64 mixed(__u64 number)
{
	number ^= number >> 33;
	number *= 0xff51afd7ed558ccdULL;
	number ^= number >> 33;
	number *= 0xc4ceb9fe1a85ec53ULL;
	return number ^ number >> 33;
}

static __always_inline __u64 hash(const void *key)
{
	__u64 found = 0;
	__u32 at;

	for (at = 0; at + 8 <= key_bytes; at += 8)
		found = mixed(found ^ number(key + at, 8));
	for (; at < key_bytes; at++)
		found = mixed(found ^ number(key + at, 1));
	return found;
}

static __always_inline __u64 square_of_bits(__u64 word)
{
	__u64 bits = __builtin_popcountll(word);

	return bits * bits;
}

static __always_inline void keep_print(const void *key)
{
	__u64 print = hash(key);
	__u64 bits = 1ULL << print % 64 | 1ULL << print / 64 % 64;
	__u32 at = print / (64 * 64) & (words - 1);
	__u32 here = tally.side ? words + at : at;
	__u32 before = tally.side ? at : words + at;
	__u64 *word = bpf_map_lookup_elem(&prints, &before);

	if (word && (*word & bits) != bits)
		tally.fresh++;
	word = bpf_map_lookup_elem(&prints, &here);
	if (word) {
		tally.squares -= square_of_bits(*word);
		*word |= bits;
		tally.squares += square_of_bits(*word);
	}
}

static __always_inline void count_for(__u64 owner)
{
	__u64 *count = bpf_map_lookup_elem(&owners, &owner), first = 1;

	if (count)
		(*count)++;
	else if (bpf_map_update_elem(&owners, &owner, &first, BPF_NOEXIST))
		tally.unowned++;
}

SEC("iter/bpf_map_elem")
int walk(struct bpf_iter__bpf_map_elem *context)
{
	void *key = context->key, *value = context->value;
	char mark = 0;

	if (!key || !value)
		return 0;
	tally.entries++;
	if (expires && tally.now > number(value + time_at, 8) + after)
		tally.expired++;
	if (key_bytes)
		keep_print(key);
	if (owner_in == IN_KEY)
		count_for(number(key + owner_at, owner_bytes));
	else if (owner_in == IN_VALUE)
		count_for(number(value + owner_at, owner_bytes));
	if (tally.entries % piece == 0)
		bpf_seq_write(context->meta->seq, &mark, sizeof(mark));
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
