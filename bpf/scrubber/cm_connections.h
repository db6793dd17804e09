/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * TCP packets belong to a connection that began with a SYN, UDP packets answer
 * one that went out. Two CPUs that meet packets of one flow write its state one
 * after the other: the later wins, and both leave it alive.
 */
#ifndef SCRUBBER_CM_CONNECTIONS_H
#define SCRUBBER_CM_CONNECTIONS_H

#include "constants.h"
#include "tables.h"
#include "verdicts.h"

static __always_inline bool opens(__u8 flags)
{
	return (flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN;
}

/* A RST or FIN may be forged, so it does not end a flow: it shortens its life
 * unless more packets come. */
static __always_inline enum flow_state tcp_next(__u64 state, __u8 flags)
{
	if (flags & (TCP_FIN | TCP_RST))
		return FLOW_CLOSING;
	if (opens(flags))
		return state == FLOW_ESTABLISHED ? FLOW_ESTABLISHED
						 : FLOW_OPENING;
	if (state == FLOW_OPENING && flags & TCP_ACK)
		return FLOW_ESTABLISHED;
	return state;
}

static __always_inline __u32 timeout_of(const struct flow *flow,
					const struct policy *policy,
					__u8 protocol)
{
	if (protocol == IPPROTO_UDP)
		return policy->udp_timeout;
	if (flow->state == FLOW_OPENING)
		return policy->opening_timeout;
	return flow->state == FLOW_ESTABLISHED ? policy->established_timeout
					       : policy->closing_timeout;
}

/* Without what went out no UDP packet could be an answer. */
static __always_inline bool is_tracked(const struct packet *packet,
				       const struct policy *policy)
{
	if (!has_ports(packet))
		return false;
	if (packet->protocol == IPPROTO_TCP)
		return policy->countermeasures & CM_CONNECTIONS;
	return with_outbound && policy->countermeasures & CM_UDP_PAIRS;
}

static __always_inline struct flow_key inbound_flow(const struct packet *packet,
						    __u32 policy_id)
{
	struct flow_key key = { .inside = packet->destination,
				.outside = packet->source,
				.inside_port = packet->destination_port,
				.outside_port = packet->source_port,
				.policy = policy_id,
				.version = packet->version,
				.protocol = packet->protocol };

	return key;
}

static __always_inline struct flow_key
outbound_flow(const struct packet *packet, __u32 policy_id)
{
	struct flow_key key = { .inside = packet->source,
				.outside = packet->destination,
				.inside_port = packet->source_port,
				.outside_port = packet->destination_port,
				.policy = policy_id,
				.version = packet->version,
				.protocol = packet->protocol };

	return key;
}

/* Begins the flow, or begins it again where an expired one lies. */
static __always_inline void begin(struct flow *expired,
				  const struct flow_key *key,
				  const struct flow *fresh)
{
	if (expired) {
		note(FLOW_EXPIRED);
		*expired = *fresh;
	} else {
		note(flows_lookup_or_init(key, fresh) ? FLOW_MADE
						      : FLOW_NO_ROOM);
	}
}

static __always_inline enum verdict cm_connections(const struct packet *packet,
						   const struct policy *policy,
						   __u32 policy_id)
{
	struct flow_key key = inbound_flow(packet, policy_id);
	__u64 now = bpf_ktime_get_coarse_ns();
	struct flow fresh = { .last_seen = now, .state = FLOW_OPENING };
	struct flow *flow = flows_lookup(&key);
	bool tcp = packet->protocol == IPPROTO_TCP;

	if (flow && !older_than(flow->last_seen, now,
				timeout_of(flow, policy, packet->protocol))) {
		flow->last_seen = now;
		if (tcp)
			flow->state = tcp_next(flow->state, packet->tcp_flags);
		return PASS;
	}
	if (!tcp || !opens(packet->tcp_flags))
		return NO_CONNECTION;
	begin(flow, &key, &fresh);
	return PASS;
}

/* What a customer sends is believed: it begins a flow whatever it is. */
static __always_inline void note_outbound(const struct packet *packet,
					  const struct policy *policy,
					  __u32 policy_id)
{
	struct flow_key key = outbound_flow(packet, policy_id);
	__u64 now = bpf_ktime_get_coarse_ns();
	struct flow *flow = flows_lookup(&key);
	bool live =
		flow && !older_than(flow->last_seen, now,
				    timeout_of(flow, policy, packet->protocol));
	struct flow seen = { .last_seen = now, .state = FLOW_ESTABLISHED };

	if (packet->protocol == IPPROTO_TCP)
		seen.state = opens(packet->tcp_flags) && !live
				     ? FLOW_OPENING
				     : tcp_next(live ? flow->state
						     : FLOW_ESTABLISHED,
						packet->tcp_flags);
	if (live)
		*flow = seen;
	else
		begin(flow, &key, &seen);
}

#endif
