// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * State that lives on when its layout changes (docs/state.md).
 *
 *	WS_STATE(BPF_MAP_TYPE_LRU_HASH, flows, struct key, struct flow, 65536);
 *
 *	struct flow fresh = { .first_seen = now };
 *	struct flow *flow = flows_lookup_or_init(&key, &fresh);
 *
 * After a reload with another layout, the first lookup of a key fetches its
 * entry from the map of the generation before. The loader puts that map into
 * the place of `flows__old`, and how its members lie into `flows__moves`.
 * Without a predecessor the verifier removes all of this from the program.
 */
#ifndef WIRESPEED_STATE_H
#define WIRESPEED_STATE_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#define WS_MOVES 32

enum ws_move_flags {
	WS_MOVE_TAKE = 1, /* a counter: is zero in the old entry afterwards */
	WS_MOVE_SIGNED = 2, /* widened by its sign */
};

/* `count` elements of `size` bytes become elements of `width` bytes. */
struct ws_move {
	__u32 from;
	__u32 to;
	__u32 count;
	__u8 size;
	__u8 width;
	__u16 flags;
};

struct ws_moves {
	__u32 count;
	struct ws_move move[WS_MOVES];
};

static __always_inline __u64 ws_read(const void *at, __u32 size)
{
	if (size == 8)
		return *(const __u64 *)at;
	if (size == 4)
		return *(const __u32 *)at;
	if (size == 2)
		return *(const __u16 *)at;
	return *(const __u8 *)at;
}

/* Several CPUs may take from one entry: each count goes to one of them. */
static __always_inline __u64 ws_take(void *at, __u32 size)
{
	if (size == 8)
		return __sync_lock_test_and_set((__u64 *)at, 0);
	return __sync_lock_test_and_set((__u32 *)at, 0);
}

static __always_inline void ws_add(void *at, __u32 size, __u64 number)
{
	if (size == 8)
		__sync_fetch_and_add((__u64 *)at, number);
	else
		__sync_fetch_and_add((__u32 *)at, (__u32)number);
}

static __always_inline void ws_write(void *at, __u32 width, __u64 number)
{
	if (width == 8)
		*(__u64 *)at = number;
	else if (width == 4)
		*(__u32 *)at = number;
	else if (width == 2)
		*(__u16 *)at = number;
	else
		*(__u8 *)at = number;
}

static __always_inline __u64 ws_extend(__u64 number, __u32 size)
{
	if (size == 4)
		return (__s64)(__s32)number;
	if (size == 2)
		return (__s64)(__s16)number;
	if (size == 1)
		return (__s64)(__s8)number;
	return number;
}

/* volatile: clang makes a call of memset() of it, which BPF does not have. */
static __always_inline void ws_clear(void *value, __u32 bytes)
{
	__u32 at;

	for (at = 0; at + 8 <= bytes; at += 8)
		*(volatile __u64 *)(value + at) = 0;
	for (; at < bytes; at++)
		*(volatile __u8 *)(value + at) = 0;
}

/* One member of a new value from an old one; `take` carries counters too. */
static __always_inline void
ws_move(void *value, void *old, const volatile struct ws_move *move, int take)
{
	__u32 from = move->from, to = move->to, count = move->count;
	__u32 size = move->size, width = move->width, flags = move->flags;

	for (__u32 i = 0; i < count; i++) {
		void *at = old + from + i * size;
		__u64 number;

		number = take && (flags & WS_MOVE_TAKE) ? ws_take(at, size)
							: ws_read(at, size);
		if (flags & WS_MOVE_SIGNED)
			number = ws_extend(number, size);
		ws_write(value + to + i * width, width, number);
	}
}

/* Adds the counters that were taken into `value` to an entry of its layout. */
static __always_inline void ws_give(void *entry, const void *value,
				    const volatile struct ws_move *move)
{
	__u32 to = move->to, count = move->count, width = move->width;

	if (!(move->flags & WS_MOVE_TAKE))
		return;
	for (__u32 i = 0; i < count; i++)
		ws_add(entry + to + i * width, width,
		       ws_read(value + to + i * width, width));
}

/* Puts back what was taken, because the new map has no room for the entry. */
static __always_inline void ws_give_back(void *old, const void *value,
					 const volatile struct ws_move *move)
{
	__u32 from = move->from, to = move->to, count = move->count;
	__u32 size = move->size, width = move->width;

	if (!(move->flags & WS_MOVE_TAKE))
		return;
	for (__u32 i = 0; i < count; i++)
		ws_add(old + from + i * size, size,
		       ws_read(value + to + i * width, width));
}

#define ws_each_move(i, moves) \
	for (__u32 i = 0; i < WS_MOVES && i < (moves)->count; i++)

/*
 * Fetches the entry of `key` from `old`. It stays there: the program of the
 * generation before may hold a pointer to it and count in it for a moment
 * more. The loader collects that, and what no packet has asked for.
 */
static __always_inline void *ws_promote(void *map, void *old, void *scratch,
					const volatile struct ws_moves *moves,
					const void *key, __u32 bytes)
{
	__u32 zero = 0;
	void *before = bpf_map_lookup_elem(old, key);
	void *value = bpf_map_lookup_elem(scratch, &zero);
	void *entry;
	long failed;

	if (!before || !value)
		return NULL;
	ws_clear(value, bytes);
	ws_each_move(i, moves) ws_move(value, before, &moves->move[i], 1);
	failed = bpf_map_update_elem(map, key, value, BPF_NOEXIST);
	entry = bpf_map_lookup_elem(map, key);
	if (!entry)
		ws_each_move(i, moves)
			ws_give_back(before, value, &moves->move[i]);
	else if (failed) /* another CPU was first */
		ws_each_move(i, moves) ws_give(entry, value, &moves->move[i]);
	return entry;
}

#define WS_STATE(type, name, key_t, value_t, entries) \
	WS_STATE_FLAGS(type, name, key_t, value_t, entries, 0)

#define WS_MAP(map_type, name, key_t, value_t, entries, flags) \
	struct {                                               \
		__uint(type, map_type);                        \
		__uint(max_entries, entries);                  \
		__uint(map_flags, flags);                      \
		__type(key, key_t);                            \
		__type(value, value_t);                        \
	} name SEC(".maps")

/*
 * NAME_lookup(key): NULL when no generation has the entry.
 * NAME_lookup_or_init(key, initial): NULL only when the map is full.
 * NAME_delete(key): also from the map of the generation before, from where
 * bpf_map_delete_elem() alone would let it come back.
 */
#define WS_STATE_FLAGS(map_type, name, key_t, value_t, entries, flags)        \
	WS_MAP(map_type, name, key_t, value_t, entries, flags);               \
	WS_MAP(map_type, name##__old, key_t, value_t, 1, flags);              \
	WS_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, name##__scratch, __u32, value_t, 1, \
	       0);                                                            \
	volatile const struct ws_moves name##__moves SEC(".rodata") = {};     \
	static __noinline __attribute__((unused))                             \
	value_t *name##__promote(const key_t *key)                            \
	{                                                                     \
		return ws_promote(&name, &name##__old, &name##__scratch,      \
				  &name##__moves, key, sizeof(value_t));      \
	}                                                                     \
	static __always_inline __attribute__((unused))                        \
	value_t *name##_lookup(const key_t *key)                              \
	{                                                                     \
		value_t *value = bpf_map_lookup_elem(&name, key);             \
                                                                              \
		if (value || !name##__moves.count)                            \
			return value;                                         \
		return name##__promote(key);                                  \
	}                                                                     \
	static __always_inline __attribute__((unused))                        \
	value_t *name##_lookup_or_init(const key_t *key,                      \
				       const value_t *initial)                \
	{                                                                     \
		value_t *value = name##_lookup(key);                          \
                                                                              \
		if (value)                                                    \
			return value;                                         \
		bpf_map_update_elem(&name, key, initial, BPF_NOEXIST);        \
		return bpf_map_lookup_elem(&name, key);                       \
	}                                                                     \
	static __always_inline                                                \
		__attribute__((unused)) long name##_delete(const key_t *key)  \
	{                                                                     \
		if (name##__moves.count)                                      \
			bpf_map_delete_elem(&name##__old, key);               \
		return bpf_map_delete_elem(&name, key);                       \
	}                                                                     \
	_Static_assert((map_type) == BPF_MAP_TYPE_HASH ||                     \
			       (map_type) == BPF_MAP_TYPE_LRU_HASH,           \
		       #name ": WS_STATE is for HASH and LRU_HASH")

#endif
