# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames as bytes, and a raw socket that puts them on a wire."""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Iterable, Sequence

ETH_P_IP, ETH_P_IPV6, ETH_P_8021Q, ETH_P_8021AD = 0x0800, 0x86DD, 0x8100, 0x88A8
TO_ALL = b"\xff" * 6
FROM = b"\x02\x00\x00\x00\x00\x01"
_UDP = 17
_MIN = 60


def ethernet(proto: int, payload: bytes, vlans: Sequence[int] = (), destination: bytes = TO_ALL) -> bytes:
    """``vlans`` are tag ids from outside in; the outer of two is 802.1ad. Padded to the shortest frame."""
    protos = [ETH_P_8021AD if i == 0 and len(vlans) > 1 else ETH_P_8021Q for i in range(len(vlans))] + [proto]
    head = destination + FROM + struct.pack("!H", protos[0])
    for tag, inner in zip(vlans, protos[1:]):
        head += struct.pack("!HH", tag, inner)
    return (head + payload).ljust(_MIN, b"\0")


def ipv4(source: str, payload: bytes = b"", destination: str = "198.51.100.1") -> bytes:
    body = struct.pack("!HHHH", 4000, 4001, 8 + len(payload), 0) + payload
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, _UDP, 0) + addresses
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + body


def ipv6(source: str, payload: bytes = b"", destination: str = "2001:db8:ffff::1") -> bytes:
    body = struct.pack("!HHHH", 4000, 4001, 8 + len(payload), 0) + payload
    addresses = ipaddress.IPv6Address(source).packed + ipaddress.IPv6Address(destination).packed
    return struct.pack("!IHBB", 6 << 28, len(body), _UDP, 64) + addresses + body


def frame_v4(source: str, vlans: Sequence[int] = (), payload: bytes = b"") -> bytes:
    return ethernet(ETH_P_IP, ipv4(source, payload), vlans)


def frame_v6(source: str, vlans: Sequence[int] = (), payload: bytes = b"") -> bytes:
    return ethernet(ETH_P_IPV6, ipv6(source, payload), vlans)


def send(ifname: str, frames: Iterable[bytes]) -> int:
    """Puts frames on the wire of this namespace; returns how many the kernel took."""
    taken = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((ifname, 0))
        for frame in frames:
            taken += raw.send(frame) == len(frame)
    return taken


def _checksum(head: bytes) -> int:
    total = sum(struct.unpack(f"!{len(head) // 2}H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
