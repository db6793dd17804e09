/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Runs a compiled tcpdump expression over the bytes on the desk: classic BPF as
 * libpcap makes it, with the meaning that libpcap's bpf_filter.c gives it. The
 * bytes that are not on the desk are as if cut off.
 */
#ifndef TRACE_FILTER_H
#define TRACE_FILTER_H

#include <linux/filter.h>
#include "record.h"

#define FILTER_ROWS 1024

WS_MAP(BPF_MAP_TYPE_ARRAY, filter, __u32, struct sock_filter, FILTER_ROWS, 0);

/* None: every packet is taken. */
WS_RODATA(__u32, rows) = 0;

struct machine {
	const struct desk *desk;
	__u32 captured;
	__u32 length;
	__u32 at;
	__u32 a;
	__u32 x;
	__u32 answer;
	__u32 memory[BPF_MEMWORDS];
};

/* Big-endian, of 1, 2 or 4 bytes; -1 where the packet is shorter. */
static __always_inline __s64 loaded(const struct machine *m, __u64 at,
				    __u32 size)
{
	const __u8 *byte;

	if (at + size > m->captured || at > ROOM - 4)
		return -1;
	byte = &m->desk->bytes[at];
	if (size == 1)
		return byte[0];
	if (size == 2)
		return (__u32)byte[0] << 8 | byte[1];
	return (__u32)byte[0] << 24 | (__u32)byte[1] << 16 |
	       (__u32)byte[2] << 8 | byte[3];
}

static __always_inline __u32 width(__u16 code)
{
	return BPF_SIZE(code) == BPF_B ? 1 : BPF_SIZE(code) == BPF_H ? 2 : 4;
}

/* Into A or X; 0 when that ends the run: beyond the packet's end. */
static __always_inline int load(struct machine *m,
				const struct sock_filter *row, __u32 *into)
{
	__s64 found = row->k;

	switch (BPF_MODE(row->code)) {
	case BPF_LEN:
		found = m->length;
		break;
	case BPF_MEM:
		found = m->memory[row->k & (BPF_MEMWORDS - 1)];
		break;
	case BPF_ABS:
		found = loaded(m, row->k, width(row->code));
		break;
	case BPF_IND:
		found = loaded(m, (__u64)row->k + m->x, width(row->code));
		break;
	case BPF_MSH:
		found = loaded(m, row->k, 1);
		if (found >= 0)
			found = (found & 15) << 2;
		break;
	}
	if (found < 0)
		return 0;
	*into = found;
	return 1;
}

/* 0 when that ends the run: a division by zero. */
static __always_inline int calculate(struct machine *m,
				     const struct sock_filter *row)
{
	__u32 operand = BPF_SRC(row->code) == BPF_X ? m->x : row->k;

	switch (BPF_OP(row->code)) {
	case BPF_ADD:
		m->a += operand;
		break;
	case BPF_SUB:
		m->a -= operand;
		break;
	case BPF_MUL:
		m->a *= operand;
		break;
	case BPF_DIV:
		if (!operand)
			return 0;
		m->a /= operand;
		break;
	case BPF_MOD:
		if (!operand)
			return 0;
		m->a %= operand;
		break;
	case BPF_AND:
		m->a &= operand;
		break;
	case BPF_OR:
		m->a |= operand;
		break;
	case BPF_XOR:
		m->a ^= operand;
		break;
	case BPF_LSH:
		m->a = operand < 32 ? m->a << (operand & 31) : 0;
		break;
	case BPF_RSH:
		m->a = operand < 32 ? m->a >> (operand & 31) : 0;
		break;
	case BPF_NEG:
		m->a = -m->a;
		break;
	}
	return 1;
}

static __always_inline __u32 jump(const struct machine *m,
				  const struct sock_filter *row)
{
	__u32 operand = BPF_SRC(row->code) == BPF_X ? m->x : row->k;
	int holds = 0;

	switch (BPF_OP(row->code)) {
	case BPF_JA:
		return row->k;
	case BPF_JEQ:
		holds = m->a == operand;
		break;
	case BPF_JGT:
		holds = m->a > operand;
		break;
	case BPF_JGE:
		holds = m->a >= operand;
		break;
	case BPF_JSET:
		holds = (m->a & operand) != 0;
		break;
	}
	return holds ? row->jt : row->jf;
}

/* One row; 1 when the run is over. */
static long step(__u32 number, struct machine *m)
{
	__u32 at = m->at;
	const struct sock_filter *row = bpf_map_lookup_elem(&filter, &at);

	if (!row)
		return 1;
	m->at = at + 1;
	switch (BPF_CLASS(row->code)) {
	case BPF_LD:
		return !load(m, row, &m->a);
	case BPF_LDX:
		return !load(m, row, &m->x);
	case BPF_ST:
		m->memory[row->k & (BPF_MEMWORDS - 1)] = m->a;
		return 0;
	case BPF_STX:
		m->memory[row->k & (BPF_MEMWORDS - 1)] = m->x;
		return 0;
	case BPF_ALU:
		return !calculate(m, row);
	case BPF_JMP:
		m->at += jump(m, row);
		return 0;
	case BPF_RET:
		m->answer = BPF_RVAL(row->code) == BPF_A ? m->a : row->k;
		return 1;
	default:
		if (BPF_MISCOP(row->code) == BPF_TXA)
			m->a = m->x;
		else
			m->x = m->a;
		return 0;
	}
	(void)number;
}

/* Jumps go forwards alone, so there are no more steps than rows. */
static __always_inline int accepted(const struct desk *desk, __u32 captured,
				    __u32 length)
{
	struct machine machine = {
		.desk = desk,
		.captured = captured,
		.length = length,
	};

	if (!rows)
		return 1;
	bpf_loop(rows, step, &machine, 0);
	return machine.answer != 0;
}

#endif
