// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * scrubber, the reference pipeline, as the story of a packet: it is parsed, its
 * source is held against the tables for all, it is found whose it is, that
 * customer's policy judges it, and what became of it is counted.
 */
#include <wirespeed_trace.h>
#include "answer.h"
#include "constants.h"
#include "parse.h"
#include "parse_ip.h"
#include "parse_transport.h"
#include "policy.h"
#include "prefixes.h"
#include "tables.h"
#include "verdicts.h"

#ifndef WS_VERSION
#define WS_VERSION "0.1.0"
#endif

/* Built twice: for frames in one buffer, and for frames in several. */
#ifdef WS_FRAGS
#define NAME "scrubber_frags"
#define SECTION "xdp.frags"
#else
#define NAME "scrubber"
#define SECTION "xdp"
#endif

WS_PIPELINE(NAME, WS_VERSION);

/* The SYN is answered for real only here, so that a dry run leaves it alone. */
static __always_inline enum verdict carried_out(struct xdp_md *ctx,
						struct packet *packet,
						enum verdict verdict,
						bool dry_run)
{
	if (dry_run && !lets_in(verdict))
		return DRY_RUN;
	if (with_syn_cookies && verdict == SYN_CHALLENGE &&
	    !answer(ctx, packet))
		return SYN_COOKIES;
	return verdict;
}

/* To a customer; `bytes` are those of the frame as it came. */
static __always_inline enum verdict judge_inbound(struct xdp_md *ctx,
						  struct packet *packet,
						  struct customer *owner,
						  __u64 bytes, __u32 side)
{
	struct entity entity = { .customer = owner->customer,
				 .policy = owner->policy };
	__u32 id = owner->policy;
	struct policy *policy = ws_lookup(policies, side, &id);
	enum verdict verdict = PASS, done = PASS;

	ws_note_owner(owner->customer, owner->policy);
	if (policy) {
		verdict = judge_by_policy(ctx, packet, policy, id, side);
		done = carried_out(ctx, packet, verdict, policy->dry_run);
		entity.dry_run = done == DRY_RUN;
	}
	if (done == DRY_RUN)
		ws_note_dry_run(verdict);
	if (with_entity_counters) {
		entity.verdict = done == DRY_RUN ? verdict : done;
		count_entity(&entity, bytes);
	}
	return done;
}

/* From a customer: what comes back is an answer. */
static __always_inline void note_if_outbound(const struct packet *packet,
					     __u32 side)
{
	struct customer *owner;
	struct policy *policy;
	__u32 id;

	owner = customer_of(&packet->source, packet->version, side);
	if (!owner)
		return;
	id = owner->policy;
	policy = ws_lookup(policies, side, &id);
	if (policy && is_tracked(packet, policy))
		note_outbound(packet, policy, id);
}

static __always_inline enum verdict
judge_packet(struct xdp_md *ctx, const struct frame *frame, bool v4, __u32 side)
{
	struct packet packet = {};
	struct customer *owner;
	enum verdict verdict = PASS;

	if (v4)
		read_v4(frame, &packet);
	else if (!read_v6(ctx, frame, &packet))
		return MALFORMED;
	if (!parse_transport(frame, &packet))
		return MALFORMED;
	owner = customer_of(&packet.destination, packet.version, side);
	if (owner)
		verdict =
			judge_inbound(ctx, &packet, owner, frame->bytes, side);
	if (with_connections && with_outbound && lets_in(verdict))
		note_if_outbound(&packet, side);
	return verdict;
}

static __always_inline enum verdict judge(struct xdp_md *ctx,
					  struct frame *frame)
{
	enum parsed parsed = parse(ctx, frame);
	__u32 side = ws_side();
	enum verdict verdict;

	if (parsed == PARSED_BROKEN)
		return MALFORMED;
	if (parsed == PARSED_OTHER)
		return NOT_INSPECTED;
	verdict = parsed == PARSED_IPV4 ? judge_source_v4(frame->v4, side)
					: judge_source_v6(frame->v6, side);
	if (verdict != PASS || !with_policies)
		return verdict;
	return judge_packet(ctx, frame, parsed == PARSED_IPV4, side);
}

SEC(SECTION)
int scrubber(struct xdp_md *ctx)
{
	struct frame frame;
	enum verdict verdict = judge(ctx, &frame);

	ws_count(&verdicts, verdict, frame.bytes);
	return ws_traced(ctx, verdict, action_of(verdict));
}

char _license[] SEC("license") = "Dual BSD/GPL";
