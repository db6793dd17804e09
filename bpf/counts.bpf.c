// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Reads how many entries maps have where the kernel counts them itself: in a
 * hash since Linux 6.6 (kernel/bpf/map_iter.c, bpf_map_sum_elem_count), in a
 * trie always (kernel/bpf/lpm_trie.c, n_entries). No entry is looked at.
 */
#include <wirespeed.h>
#include <bpf/bpf_core_read.h>

struct bpf_map {
	__u32 id;
	enum bpf_map_type map_type;
} __attribute__((preserve_access_index));

struct lpm_trie {
	__u64 n_entries;
} __attribute__((preserve_access_index));

struct bpf_iter__bpf_map {
	void *meta;
	struct bpf_map *map;
};

extern __s64 bpf_map_sum_elem_count(const struct bpf_map *map) __ksym __weak;

/* By the ids of the maps that are asked for. */
WS_MAP(BPF_MAP_TYPE_HASH, counts, __u32, __u64, 1, 0);

SEC("iter/bpf_map")
int count(struct bpf_iter__bpf_map *context)
{
	struct bpf_map *map = context->map;
	__u64 *entries;
	__u32 id;

	if (!map)
		return 0;
	id = map->id;
	entries = bpf_map_lookup_elem(&counts, &id);
	if (!entries)
		return 0;
	switch (map->map_type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		if (bpf_map_sum_elem_count)
			*entries = bpf_map_sum_elem_count(map);
		break;
	case BPF_MAP_TYPE_LPM_TRIE:
		bpf_core_read(entries, sizeof(*entries),
			      &((struct lpm_trie *)map)->n_entries);
		break;
	default:
		break;
	}
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
