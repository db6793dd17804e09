# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames to packets, by "Parsing" of docs/scrubber.md."""

from __future__ import annotations

from dataclasses import dataclass

VLAN_TYPES = (0x8100, 0x88A8)
IPV4, IPV6 = 0x0800, 0x86DD
VLAN_TAGS, EXTENSIONS = 2, 6
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60
ICMP, IPIP, TCP, UDP, IP6IP, GRE, ICMPV6 = 1, 4, 6, 17, 41, 47, 58
EXTENSION_HEADERS = (HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION)
HEADERS = {ICMP: 8, ICMPV6: 8, GRE: 4, IPIP: 20, IP6IP: 40}
"""What must be there of a header that has no ports."""
WHOLE, FIRST, LATER = range(3)
FIN, SYN, RST, ACK = 1, 2, 4, 16


class Malformed(Exception):
    """A header that is cut off or contradicts itself."""


class NotInspected(Exception):
    """Not IP, or within more tags than are read."""


@dataclass
class Packet:
    """Offsets from the frame's front; ``end`` is where IP says that the packet ends."""

    frame: bytes
    version: int
    source: bytes
    destination: bytes
    protocol: int
    network: int
    transport: int
    end: int
    fragment: int = WHOLE
    source_port: int = 0
    destination_port: int = 0
    flags: int = 0
    payload: int = 0

    @property
    def has_ports(self) -> bool:
        return self.protocol in (TCP, UDP) and self.fragment != LATER

    @property
    def opens(self) -> bool:
        return self.flags & (FIN | SYN | RST | ACK) == SYN

    @property
    def plain(self) -> bool:
        """Whole, and nothing between the base header and the transport's."""
        return self.fragment == WHOLE and self.transport - self.network == (20 if self.version == 4 else 40)


def network(frame: bytes) -> Packet:
    """Up to the IP header. Raises Malformed and NotInspected."""
    at, kind = 14, _number(frame, 12, 2)
    for dummy in range(VLAN_TAGS):
        if kind in VLAN_TYPES:
            at, kind = at + 4, _number(frame, at + 2, 2)
    if kind == IPV4:
        return _ipv4(frame, at)
    if kind == IPV6:
        return _ipv6(frame, at)
    raise NotInspected


def transport(packet: Packet) -> None:
    """The rest. Raises Malformed."""
    if packet.version == 6:
        _extensions(packet)
    packet.payload = packet.transport
    if packet.fragment == LATER:
        return
    if packet.protocol == TCP:
        _tcp(packet)
    elif packet.protocol == UDP:
        _udp(packet)
    else:
        packet.payload = _within(packet, HEADERS.get(packet.protocol, 0))


def _ipv4(frame: bytes, at: int) -> Packet:
    _number(frame, at, 20)
    version, header, length = frame[at] >> 4, (frame[at] & 15) * 4, _number(frame, at + 2, 2)
    if version != 4 or header < 20 or at + header > len(frame) or length < header or at + length > len(frame):
        raise Malformed
    field = _number(frame, at + 6, 2)
    packet = Packet(
        *(frame, 4, frame[at + 12 : at + 16], frame[at + 16 : at + 20], frame[at + 9], at, at + header, at + length)
    )
    packet.fragment = _fragment(field & 0x1FFF, field & 0x2000)
    return packet


def _ipv6(frame: bytes, at: int) -> Packet:
    _number(frame, at, 40)
    end = at + 40 + _number(frame, at + 4, 2)
    if frame[at] >> 4 != 6 or end > len(frame):
        raise Malformed
    return Packet(frame, 6, frame[at + 8 : at + 24], frame[at + 24 : at + 40], frame[at + 6], at, at + 40, end)


def _extensions(packet: Packet) -> None:
    for dummy in range(EXTENSIONS):
        if packet.protocol not in EXTENSION_HEADERS or packet.fragment == LATER:
            return
        at = packet.transport
        _within(packet, 8)
        size = 8
        if packet.protocol == FRAGMENT:
            field = _number(packet.frame, at + 2, 2)
            packet.fragment = max(packet.fragment, _fragment(field & 0xFFF8, field & 1))
        else:
            size += packet.frame[at + 1] * 8
        packet.protocol, packet.transport = packet.frame[at], _within(packet, size)
    if packet.protocol in EXTENSION_HEADERS and packet.fragment != LATER:
        raise Malformed


def _tcp(packet: Packet) -> None:
    _within(packet, 20)
    header = (packet.frame[packet.transport + 12] >> 4) * 4
    if header < 20:
        raise Malformed
    _ports(packet)
    packet.flags = packet.frame[packet.transport + 13]
    packet.payload = _within(packet, header)


def _udp(packet: Packet) -> None:
    packet.payload = _within(packet, 8)
    length = _number(packet.frame, packet.transport + 4, 2)
    if length < 8:
        raise Malformed
    if packet.fragment == WHOLE:
        _within(packet, length)
    _ports(packet)


def _ports(packet: Packet) -> None:
    packet.source_port = _number(packet.frame, packet.transport, 2)
    packet.destination_port = _number(packet.frame, packet.transport + 2, 2)


def _within(packet: Packet, size: int) -> int:
    """Where a header of ``size`` ends. Raises Malformed when that is past the packet's end."""
    if packet.transport + size > packet.end:
        raise Malformed
    return packet.transport + size


def _fragment(offset: int, more: int) -> int:
    return LATER if offset else FIRST if more else WHOLE


def _number(frame: bytes, at: int, size: int) -> int:
    if at + size > len(frame):
        raise Malformed
    return int.from_bytes(frame[at : at + size], "big")
