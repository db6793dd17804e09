# SPDX-License-Identifier: GPL-3.0-or-later
"""Ethernet frames with a number inside, so that a receiver can say exactly which ones arrived."""

from __future__ import annotations

import ipaddress
import struct
from typing import List, Optional, Sequence

_MARK = b"WSLAB\x00"
_NUMBER = struct.Struct("!Q")
_ETHERNET = 14
MINIMUM = 60  # bytes on the wire without the checksum (IEEE 802.3)


def udp(
    to_mac: str,
    number: int,
    *,
    source: str = "192.0.2.1",
    destination: str = "192.0.2.100",
    source_port: int = 1000,
    destination_port: int = 4242,
    vlans: Sequence[int] = (),
    size: int = MINIMUM,
    from_mac: str = "02:00:00:00:00:01",
) -> bytes:
    """An Ethernet frame with IPv4 or IPv6 (as `source` is) and UDP, whose payload carries `number`.

    `vlans`: 802.1Q tags, outermost first (two make the outer one 802.1ad). `size` in bytes without the frame check
    sequence; a larger frame is made when the headers and the number need it.
    """
    left, right = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if left.version != right.version:
        raise ValueError(f"source {source} and destination {destination} are not of one IP version")
    headers = _ETHERNET + 4 * len(vlans) + (20 if left.version == 4 else 40) + 8
    payload = _MARK + _NUMBER.pack(number)
    payload += bytes(max(0, size - headers - len(payload)))
    datagram = _udp(left.packed, right.packed, source_port, destination_port, payload)
    packet = (
        _ipv4(left.packed, right.packed, datagram) if left.version == 4 else _ipv6(left.packed, right.packed, datagram)
    )
    return _mac(to_mac) + _mac(from_mac) + _tags(vlans, 0x0800 if left.version == 4 else 0x86DD) + packet


def number_of(frame: bytes) -> Optional[int]:
    """The number that `udp` put in; None for any other frame (neighbour discovery of the guest, say)."""
    where = frame.find(_MARK, _ETHERNET)
    if where < 0 or len(frame) < where + len(_MARK) + _NUMBER.size:
        return None
    return int(_NUMBER.unpack_from(frame, where + len(_MARK))[0])


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _tags(vlans: Sequence[int], ethertype: int) -> bytes:
    outer = 0x88A8 if len(vlans) > 1 else 0x8100
    types: List[int] = [outer if index == 0 else 0x8100 for index in range(len(vlans))]
    return b"".join(struct.pack("!HH", kind, vlan) for kind, vlan in zip(types, vlans)) + struct.pack("!H", ethertype)


def _udp(source: bytes, destination: bytes, source_port: int, destination_port: int, payload: bytes) -> bytes:
    length = 8 + len(payload)
    datagram = struct.pack("!HHHH", source_port, destination_port, length, 0) + payload
    checksum = _checksum(source + destination + struct.pack("!II", length, 17) + datagram) or 0xFFFF
    return datagram[:6] + struct.pack("!H", checksum) + datagram[8:]


def _ipv4(source: bytes, destination: bytes, datagram: bytes) -> bytes:
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 0, 0x4000, 64, 17, 0, source, destination)
    return header[:10] + struct.pack("!H", _checksum(header)) + header[12:] + datagram


def _ipv6(source: bytes, destination: bytes, datagram: bytes) -> bytes:
    return struct.pack("!IHBB16s16s", 6 << 28, len(datagram), 17, 64, source, destination) + datagram


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) & 1)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total
