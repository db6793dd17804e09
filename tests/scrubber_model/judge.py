# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of judgement, by docs/scrubber.md, and the state that countermeasures keep.

Time stands still here: nothing expires and no token comes back. Whoever compares this with the program keeps to rates
and timeouts for which that is so.
"""

from __future__ import annotations

from collections import Counter
from typing import Dict, FrozenSet, Optional, Set, Tuple

from . import packet as packets
from .configuration import Configuration, Document, Policy
from .packet import ACK, FIN, LATER, RST, TCP, UDP, WHOLE, Malformed, NotInspected, Packet

LETS_IN = ("pass", "not_inspected", "allow_prefix", "policy_allow", "dry_run")
PATTERNS = 8
FEATURES = (
    *("allow_prefixes", "deny_addresses", "deny_prefixes", "policies", "entity_counters", "policy_prefixes"),
    *("fragments", "amplification", "ports", "patterns", "syn_cookies", "connections", "outbound", "rate_limit"),
)
Flow = Tuple[int, int, int, bytes, int, bytes, int]
"""Version, policy, protocol, inside and its port, outside and its port."""
Entity = Tuple[int, int, str, bool]


class Scrubber:
    """``without`` are names of :data:`FEATURES`."""

    def __init__(self, document: Document, without: FrozenSet[str] = frozenset()) -> None:
        self.configuration = Configuration(document)
        self.without = without
        self.verdicts: "Counter[str]" = Counter()
        self.bytes: "Counter[str]" = Counter()
        self.entities: "Counter[Entity]" = Counter()
        self.events: "Counter[str]" = Counter()
        self.flows: Dict[Flow, str] = {}
        self.buckets: Dict[Tuple[int, bytes], int] = {}
        self.verified: Set[Tuple[int, bytes]] = set()
        self.cookies: Dict[Tuple[bytes, bytes, int, int], int] = {}

    def judge(self, frame: bytes) -> str:
        verdict = self._judge(frame)
        self.verdicts[verdict] += 1
        self.bytes[verdict] += len(frame)
        return verdict

    def answered(self, frame: bytes, cookie: int) -> None:
        """The program's answer to a SYN acknowledged ``cookie``, which only the kernel can work out."""
        packet = _whole(frame)
        self.cookies[packet.source, packet.destination, packet.source_port, packet.destination_port] = cookie

    def _judge(self, frame: bytes) -> str:
        try:
            packet = packets.network(frame)
            verdict = self._source(packet)
            if verdict or not self._has("policies"):
                return verdict or "pass"
            packets.transport(packet)
        except NotInspected:
            return "not_inspected"
        except Malformed:
            return "malformed"
        verdict = self._inbound(packet)
        if verdict in LETS_IN and self._has("connections") and self._has("outbound"):
            self._outbound(packet)
        return verdict

    def _has(self, feature: str) -> bool:
        return feature not in self.without

    def _source(self, packet: Packet) -> str:
        if self._has("allow_prefixes") and self.configuration.allow.find(packet.source):
            return "allow_prefix"
        if self._has("deny_addresses") and packet.source in self.configuration.deny_address:
            return "deny_address"
        if self._has("deny_prefixes") and self.configuration.deny.find(packet.source):
            return f"deny_prefix_v{packet.version}"
        return ""

    def _inbound(self, packet: Packet) -> str:
        found = self.configuration.customers.find(packet.destination)
        if found is None:
            return "pass"
        customer, number = found
        policy = self.configuration.policies.get(number)
        verdict = reason = self._by_policy(packet, number, policy) if policy else "pass"
        if policy and policy.dry_run and reason not in LETS_IN:
            verdict = "dry_run"
        if self._has("entity_counters"):
            self.entities[customer, number, reason, verdict == "dry_run"] += 1
        return verdict

    def _by_policy(self, packet: Packet, number: int, policy: Policy) -> str:
        return (
            self._policy_prefix(packet, number)
            or self._fragments(packet, policy)
            or self._amplification(packet, policy)
            or self._ports(packet, number, policy)
            or self._patterns(packet, number, policy)
            or self._syn_cookies(packet, number, policy)
            or self._connections(packet, number, policy)
            or self._rate_limit(packet, number, policy)
            or "pass"
        )

    def _on(self, policy: Policy, countermeasure: str) -> bool:
        return self._has(countermeasure) and countermeasure in policy.countermeasures

    def _policy_prefix(self, packet: Packet, number: int) -> str:
        prefixes = self.configuration.policy_prefixes.get(number)
        action = prefixes.find(packet.source) if prefixes and self._has("policy_prefixes") else None
        return f"policy_{action}" if action else ""

    def _fragments(self, packet: Packet, policy: Policy) -> str:
        if not self._on(policy, "fragments") or packet.fragment == WHOLE:
            return ""
        return "fragment" if policy.fragments == "deny" or packet.protocol == UDP else ""

    def _amplification(self, packet: Packet, policy: Policy) -> str:
        answers = packet.protocol == UDP and packet.has_ports and packet.source_port in self.configuration.amplifiers
        return "amplification" if answers and self._on(policy, "amplification") else ""

    def _ports(self, packet: Packet, number: int, policy: Policy) -> str:
        if not self._on(policy, "ports"):
            return ""
        rows, protocol = self.configuration.ports, (number, packet.protocol)
        action = rows.get((*protocol, 0), policy.other_ports)
        if packet.has_ports and packet.destination_port:
            action = rows.get((*protocol, packet.destination_port), action)
        return "port" if action == "deny" else ""

    def _patterns(self, packet: Packet, number: int, policy: Policy) -> str:
        if not self._on(policy, "patterns") or packet.fragment == LATER:
            return ""
        payload = packet.frame[packet.payload : packet.end]
        for index in range(PATTERNS):
            pattern = self.configuration.patterns.get((number, index))
            if pattern is None:
                break
            if pattern.protocol in (0, packet.protocol) and pattern.matches(payload):
                return "pattern"
        return ""

    def _syn_cookies(self, packet: Packet, number: int, policy: Policy) -> str:
        source = (number, packet.source)
        if not self._on(policy, "syn_cookies") or packet.protocol != TCP or not packet.has_ports:
            return ""
        if source in self.verified:
            return ""
        if packet.opens:
            return "syn_challenge" if packet.plain else "syn_cookies"
        if packet.flags & (FIN | packets.SYN | RST | ACK) == RST and self._is_cookie(packet):
            self.verified.add(source)
            self.events["verified_made"] += 1
            return "syn_cookies"
        return ""

    def _is_cookie(self, packet: Packet) -> bool:
        sent = int.from_bytes(packet.frame[packet.transport + 4 : packet.transport + 8], "big")
        ends = (packet.source, packet.destination, packet.source_port, packet.destination_port)
        return self.cookies.get(ends) == sent

    def _connections(self, packet: Packet, number: int, policy: Policy) -> str:
        if not self._tracked(packet, policy):
            return ""
        inside, outside = (packet.destination, packet.destination_port), (packet.source, packet.source_port)
        flow = (packet.version, number, packet.protocol, *inside, *outside)
        state = self.flows.get(flow)
        if state is not None:
            self.flows[flow] = _next(state, packet)
        elif packet.protocol == TCP and packet.opens:
            self._begin(flow, "opening")
        else:
            return "no_connection"
        return ""

    def _tracked(self, packet: Packet, policy: Policy) -> bool:
        if not packet.has_ports or not self._has("connections"):
            return False
        if packet.protocol == TCP:
            return "connections" in policy.countermeasures
        return self._has("outbound") and "udp_pairs" in policy.countermeasures

    def _begin(self, flow: Flow, state: str) -> None:
        self.flows[flow] = state
        self.events["flow_made"] += 1

    def _outbound(self, packet: Packet) -> None:
        found = self.configuration.customers.find(packet.source)
        policy: Optional[Policy] = self.configuration.policies.get(found[1]) if found else None
        if not found or not policy or not self._tracked(packet, policy):
            return
        inside, outside = (packet.source, packet.source_port), (packet.destination, packet.destination_port)
        flow = (packet.version, found[1], packet.protocol, *inside, *outside)
        state = self.flows.get(flow)
        if state is not None:
            self.flows[flow] = _next(state, packet)
        else:
            self._begin(flow, "opening" if packet.opens else _next("established", packet))

    def _rate_limit(self, packet: Packet, number: int, policy: Policy) -> str:
        if not self._on(policy, "rate_limit"):
            return ""
        source = (number, packet.source if packet.version == 4 else packet.source[:8])
        if source not in self.buckets:
            self.events["bucket_made"] += 1
        taken = self.buckets.setdefault(source, 0)
        if taken >= policy.burst:
            return "rate_limit"
        self.buckets[source] += 1
        return ""


def _next(state: str, packet: Packet) -> str:
    if packet.protocol == UDP:
        return state
    if packet.flags & (FIN | RST):
        return "closing"
    if packet.opens:
        return "established" if state == "established" else "opening"
    return "established" if state == "opening" and packet.flags & ACK else state


def _whole(frame: bytes) -> Packet:
    packet = packets.network(frame)
    packets.transport(packet)
    return packet
