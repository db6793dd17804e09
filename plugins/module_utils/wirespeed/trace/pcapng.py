# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes pcapng: the blocks and options that a trace needs, as bytes. Pure.

Format: draft-ietf-opsawg-pcapng; the options of packet id, queue and verdict came with xdpdump. All numbers are in the
section's byte order, every block and option is padded to 32 bits.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Iterable, List, Tuple

_SECTION, _INTERFACE, _STATISTICS, _PACKET = 0x0A0D0D0A, 1, 5, 6
_MAGIC, _VERSION, _LENGTH_UNKNOWN = 0x1A2B3C4D, (1, 0), -1
ETHERNET = 1
INBOUND = 1  # epb_flags, bits 0 and 1
XDP_VERDICT = 2  # epb_verdict: eBPF XDP, then the action as a signed number of 64 bits
NANOSECONDS = 9  # if_tsresol: 10^-9

_HEAD = struct.Struct("=II")
_TAIL = struct.Struct("=I")
_OPTION = struct.Struct("=HH")
_PACKET_HEAD = struct.Struct("=IIIIIII")
_NUMBER, _WORD, _VERDICT = struct.Struct("=Q"), struct.Struct("=I"), struct.Struct("=Bq")
_NO_MORE = b"\0\0\0\0"

Option = Tuple[int, bytes]


@dataclass(frozen=True)
class Interface:
    """``hardware`` is what carries it: the driver."""

    name: str
    description: str = ""
    hardware: str = ""
    snaplen: int = 0


@dataclass(frozen=True)
class Packet:
    """``at`` in ns since 1970, ``length`` on the wire; ``lost`` packets between the one before and this one."""

    at: int
    data: bytes
    length: int
    comment: str
    lost: int
    id: int
    queue: int
    action: int


@dataclass(frozen=True)
class Statistics:
    """Packets of an interface: ``seen`` there, ``matched`` by the filters, of these ``lost`` and ``written``."""

    begun: int
    ended: int
    seen: int
    matched: int
    lost: int
    written: int


def section(hardware: str, system: str, application: str) -> bytes:
    """The begin of a file."""
    head = struct.pack("=IHHq", _MAGIC, *_VERSION, _LENGTH_UNKNOWN)
    return _block(_SECTION, head + _options([(2, _text(hardware)), (3, _text(system)), (4, _text(application))]))


def interface(found: Interface) -> bytes:
    """What the packets after it were seen on: interface 0."""
    texts = [(2, found.name), (3, found.description), (15, found.hardware)]
    options: List[Option] = [(code, _text(text)) for code, text in texts if text]
    head = struct.pack("=HHI", ETHERNET, 0, found.snaplen)
    return _block(_INTERFACE, head + _options([*options, (9, bytes([NANOSECONDS]))]))


def packet(found: Packet) -> bytes:
    options: List[Option] = [(1, _text(found.comment))] if found.comment else []
    options.append((2, _WORD.pack(INBOUND)))
    if found.lost:
        options.append((4, _NUMBER.pack(found.lost)))
    options += [
        (5, _NUMBER.pack(found.id)),
        (6, _WORD.pack(found.queue)),
        (7, _VERDICT.pack(XDP_VERDICT, found.action)),
    ]
    tail = _padded(found.data) + _options(options)
    size = _PACKET_HEAD.size + len(tail) + _TAIL.size
    high, low = _time(found.at)
    return _PACKET_HEAD.pack(_PACKET, size, 0, high, low, len(found.data), found.length) + tail + _TAIL.pack(size)


def statistics(found: Statistics) -> bytes:
    """What is lost is said twice: isb_osdrop completes isb_filteraccept, and isb_ifdrop is what Wireshark shows."""
    numbers = [(4, found.seen), (5, found.lost), (6, found.matched), (7, found.lost), (8, found.written)]
    times = [(2, _WORD.pack(high) + _WORD.pack(low)) for high, low in [_time(found.begun)]]
    times += [(3, _WORD.pack(high) + _WORD.pack(low)) for high, low in [_time(found.ended)]]
    head = struct.pack("=III", 0, *_time(found.ended))
    return _block(_STATISTICS, head + _options([*times, *((code, _NUMBER.pack(number)) for code, number in numbers)]))


def _time(nanoseconds: int) -> Tuple[int, int]:
    return nanoseconds >> 32, nanoseconds & 0xFFFFFFFF


def _text(text: str) -> bytes:
    return text.encode("utf-8", "replace")[:0xFFFF]


def _options(options: Iterable[Option]) -> bytes:
    return b"".join([_OPTION.pack(code, len(value)) + _padded(value) for code, value in options]) + _NO_MORE


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _block(kind: int, body: bytes) -> bytes:
    size = _HEAD.size + len(body) + _TAIL.size
    return _HEAD.pack(kind, size) + body + _TAIL.pack(size)
