# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents and frames by chance, from few addresses and ports, so that they meet."""

from __future__ import annotations

import ipaddress
import struct
from random import Random
from typing import Any, Dict, List, Sequence, Tuple

from . import packet as packets
from .packet import DESTINATION, FRAGMENT, GRE, HOP_BY_HOP, ICMP, ICMPV6, IP6IP, IPIP, ROUTING, TCP, UDP

SOURCES = (
    *("192.0.2.1", "192.0.2.2", "192.0.2.130", "198.51.100.7", "10.0.0.1"),
    *("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "2001:db8:bad::1"),
)
CUSTOMERS = ("203.0.113.1", "203.0.113.2", "203.0.113.130", "2001:db8:c::1", "2001:db8:c::2", "2001:db8:c:1::1")
OTHERS = ("100.64.0.1", "2001:db8:ffff::1")
PORTS = (0, 22, 53, 80, 123, 443, 11211)
POLICIES = (11, 12, 13)
COUNTERMEASURES = (
    *("fragments", "amplification", "ports", "patterns", "syn_cookies", "connections", "udp_pairs", "rate_limit"),
)
PAYLOADS = (b"", b"\0" * 4, b"\xff\xff\xff\xffTSource Engine Query\0", b"GET / HTTP/1.1\r\n\r\n", bytes(range(40)))
LONG = "1h"
FLAGS = (0x02, 0x02, 0x02, 0x10, 0x10, 0x18, 0x12, 0x04, 0x04, 0x04, 0x14, 0x11, 0x01, 0x00, 0x03, 0xC2)


def some(chance: Random, choices: Sequence[Any], most: int) -> List[Any]:
    return chance.sample(choices, chance.randint(0, min(most, len(choices))))


def prefixes(chance: Random, addresses: Sequence[str], most: int) -> Tuple[List[str], List[str]]:
    """Around ``addresses``, IPv4 and IPv6."""
    found = set()
    for address in some(chance, addresses, most):
        parsed = ipaddress.ip_address(address)
        length = chance.choice((32, 31, 25, 24, 8, 0) if parsed.version == 4 else (128, 127, 64, 48, 32, 0))
        found.add(ipaddress.ip_network((parsed, length), strict=False))
    texts = [str(each) for each in found]
    return [text for text in texts if ":" not in text], [text for text in texts if ":" in text]


def document(chance: Random) -> Dict[str, List[Any]]:
    """Tables of every kind; a timeout never passes, nor does a token come back, within a second."""
    tables: Dict[str, List[Any]] = {}
    tables["allow_v4"], tables["allow_v6"] = prefixes(chance, SOURCES, 1)
    tables["deny_v4"], tables["deny_v6"] = prefixes(chance, SOURCES[2:], 2)
    if chance.random() < 0.7:  # else a /0 may leave nothing to judge
        for name in ("allow_v4", "allow_v6", "deny_v4", "deny_v6"):
            tables[name] = [row for row in tables[name] if not row.endswith("/0")]
    denied = some(chance, SOURCES, 2)
    tables["deny_address_v4"] = [each for each in denied if ":" not in each]
    tables["deny_address_v6"] = [each for each in denied if ":" in each]
    for name, found in zip(("customers_v4", "customers_v6"), prefixes(chance, CUSTOMERS * 3, 9)):
        policies = (*POLICIES, 0)
        tables[name] = [
            {"prefix": row, "customer": chance.choice((601, 602)), "policy": chance.choice(policies)} for row in found
        ]
    tables["policies"] = [policy(chance, number) for number in POLICIES]
    for number in POLICIES:
        for name, found in zip(("policy_prefixes_v4", "policy_prefixes_v6"), prefixes(chance, SOURCES, 2)):
            tables.setdefault(name, []).extend(
                {"policy": number, "prefix": row, "action": chance.choice(("allow", "deny"))} for row in found
            )
    tables["amplifiers"] = [str(port) for port in some(chance, PORTS, 3)]
    tables["ports"] = [
        {"policy": number, "protocol": protocol, "port": port, "action": chance.choice(("allow", "deny"))}
        for number in POLICIES
        for protocol in some(chance, (TCP, UDP, ICMP, ICMPV6, GRE), 4)
        for port in (some(chance, PORTS, 4) if protocol in (TCP, UDP) else [0])
    ]
    tables["patterns"] = [
        pattern(chance, number, index) for number in POLICIES for index in range(chance.choice((0, 1, 3, 8)))
    ]
    return tables


def policy(chance: Random, number: int) -> Dict[str, Any]:
    return {
        "policy": number,
        "countermeasures": some(chance, COUNTERMEASURES, 4),
        "fragments": chance.choice(("deny", "deny_udp")),
        "other_ports": chance.choice(("allow", "deny")),
        "rate": 1,
        "burst": chance.choice((0, 1, 2, 5, 50)),
        **{f"{name}_timeout": LONG for name in ("opening", "established", "closing", "udp", "verified")},
        "dry_run": chance.random() < 0.2,
    }


def pattern(chance: Random, number: int, index: int) -> Dict[str, Any]:
    payload = chance.choice(PAYLOADS[1:])
    offset = chance.choice((0, 0, 1, 3))
    length = chance.randint(1, 16)
    mask = bytes(chance.choice((255, 255, 15, 0)) for dummy in range(length))
    return {
        "policy": number,
        "index": index,
        "protocol": chance.choice((0, TCP, UDP)),
        "offset": offset,
        "length": length,
        "bytes": payload[offset : offset + length].ljust(16, b"\0").hex(),
        "mask": mask.ljust(16, b"\0").hex(),
    }


def frame(chance: Random) -> bytes:
    """Mostly sound; some are cut, some have a byte changed."""
    built = _ethernet(chance)
    luck = chance.random()
    if luck < 0.04:
        built = built[: chance.randint(14, len(built))]
    elif luck < 0.10:
        at = chance.randrange(12, len(built))
        built = built[:at] + bytes([chance.randrange(256)]) + built[at + 1 :]
    elif luck < 0.30:
        built = built.ljust(60, b"\0")
    return built


def _ethernet(chance: Random) -> bytes:
    tags = chance.choice((*[0] * 14, *[1] * 3, *[2] * 2, 3))
    kinds = [chance.choice((0x8100, 0x88A8)) for dummy in range(tags)]
    if chance.random() < 0.01:
        kind, packet = 0x0806, bytes(28)
    else:
        kind, packet = _ip(chance)
    heads = b"".join(struct.pack("!HH", tag, 7) for tag in kinds)
    return b"\2\0\0\0\0\1\2\0\0\0\0\2" + heads + struct.pack("!H", kind) + packet


def _ip(chance: Random) -> Tuple[int, bytes]:
    one, other = chance.choice(SOURCES), chance.choice(CUSTOMERS if chance.random() < 0.93 else OTHERS)
    if chance.random() < 0.15:
        one, other = other, one
    if (":" in one) != (":" in other):
        version = ":" in one
        other = chance.choice([each for each in (*SOURCES, *CUSTOMERS) if (":" in each) == version])
    source, destination = ipaddress.ip_address(one), ipaddress.ip_address(other)
    if source.version == 4:
        return 0x0800, ipv4(chance, source.packed, destination.packed)
    return 0x86DD, ipv6(chance, source.packed, destination.packed)


def ipv4(chance: Random, source: bytes, destination: bytes) -> bytes:
    protocol, body = transport(chance, 4)
    options = bytes(4 * chance.choice((0, 0, 0, 0, 0, 1, 10)))
    field = chance.choice((0, 0, 0, 0, 0x4000, 0x2000, 0x2001, 185))
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0, words * 4 + len(body), 1, field, 64, protocol, 0)
    return head + source + destination + options + body


def ipv6(chance: Random, source: bytes, destination: bytes) -> bytes:
    protocol, body = transport(chance, 6)
    for dummy in range(chance.choice((0, 0, 0, 0, 1, 1, 2, 6, 7))):
        kind = chance.choice((HOP_BY_HOP, ROUTING, DESTINATION, FRAGMENT))
        if kind == FRAGMENT:
            field = chance.choice((0, 1, 8, 9))
            body, protocol = struct.pack("!BBHI", protocol, 0, field, 7) + body, kind
        else:
            length = chance.choice((0, 0, 1, 3))
            body, protocol = struct.pack("!BB", protocol, length) + bytes(6 + 8 * length) + body, kind
    return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + source + destination + body


def transport(chance: Random, version: int) -> Tuple[int, bytes]:
    payload = chance.choice(PAYLOADS)
    ports = struct.pack("!HH", chance.choice(PORTS), chance.choice(PORTS))
    luck = chance.random()
    if luck < 0.5:
        words = chance.choice((5, 5, 5, 6, 10))
        numbers = struct.pack("!IIBBHHH", chance.randrange(1 << 32), 0, words << 4, chance.choice(FLAGS), 512, 0, 0)
        return TCP, ports + numbers + bytes(4 * (words - 5)) + payload
    if luck < 0.85:
        length = 8 + len(payload) + chance.choice((0, 0, 0, 0, 0, 0, 0, 100))
        return UDP, ports + struct.pack("!HH", length, 0) + payload
    if luck < 0.93:
        return (ICMP if version == 4 else ICMPV6), bytes([8, 0]) + bytes(6) + payload
    return chance.choice((GRE, IPIP, IP6IP, 50, 59)), payload


def another_of(chance: Random, before: bytes) -> bytes:
    """Of the same flow as ``before``, with other TCP flags, perhaps the other way; any frame where that has no flow."""
    try:
        packet = packets.network(before)
        packets.transport(packet)
    except (packets.Malformed, packets.NotInspected):
        return frame(chance)
    if not packet.has_ports:
        return frame(chance)
    built, at = bytearray(before), packet.transport
    if packet.protocol == TCP:
        built[at + 13] = chance.choice(FLAGS)
    if chance.random() < 0.4:
        ends = packet.network + (12 if packet.version == 4 else 8)
        size = len(packet.source)
        built[ends : ends + 2 * size] = packet.destination + packet.source
        built[at : at + 4] = built[at + 2 : at + 4] + built[at : at + 2]
    return bytes(built)
