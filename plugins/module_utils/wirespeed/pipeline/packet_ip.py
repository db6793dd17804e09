# SPDX-License-Identifier: GPL-3.0-or-later
"""IP headers and what they carry, for :mod:`.packet`. Fields are those of RFC 791, 8200, 768, 9293, 792 and 4443."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Callable, List, Mapping, Optional, Tuple

from ..errors import BadInput
from .packet_fields import MANIFEST, Fields

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _NOTHING, _DESTINATION_OPTIONS = 0, 43, 44, 59, 60
_EXPERIMENT = 253  # RFC 3692
_IP_FLAGS = {"mf": 1, "df": 2, "reserved": 4}
_TCP_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ece": 64, "cwr": 128}
_EXTENSIONS = {"hop_by_hop": _HOP_BY_HOP, "routing": _ROUTING, "destination_options": _DESTINATION_OPTIONS}
_FRAGMENT_FIELDS = ("offset", "more", "identification")
_MOST_EXTENSIONS = 16
_EIGHT_EMPTY_BYTES = {_ROUTING: bytes(6), _HOP_BY_HOP: b"\1\4" + bytes(4), _DESTINATION_OPTIONS: b"\1\4" + bytes(4)}
"""Behind next header and length: a routing header with no segments left, options of one PadN."""

HEADERS: Mapping[str, Tuple[str, ...]] = {
    "ipv4": ("source", "destination", "protocol", "ttl", "tos", "identification", "flags", "fragment_offset", "options")
    + ("version", "ihl", "length", "checksum"),
    "ipv6": ("source", "destination", "next_header", "hop_limit", "traffic_class", "flow_label", "extensions")
    + ("version", "length"),
}
TRANSPORTS: Mapping[str, Tuple[str, ...]] = {
    "udp": ("source", "destination", "length", "checksum"),
    "tcp": ("source", "destination", "sequence", "acknowledgement", "flags", "window", "urgent", "options", "checksum"),
    "icmp": ("type", "code", "identifier", "sequence", "checksum"),
}
_SOURCE_PORT, _DESTINATION_PORT = 49152, 9  # the first dynamic one, discard


@dataclass(frozen=True)
class Parts:
    """What a transport's checksum covers of the header below it."""

    version: int
    addresses: bytes


@dataclass(frozen=True)
class Transport:
    """``protocol`` is None where no header follows."""

    protocol: Optional[int]
    data: bytes


def internet(fields: Fields, name: str, above: Callable[[Parts], Transport]) -> bytes:
    return _ipv4(fields, above) if name == "ipv4" else _ipv6(fields, above)


def _ipv4(fields: Fields, above: Callable[[Parts], Transport]) -> bytes:
    addresses = fields.address("source", 4, "192.0.2.1") + fields.address("destination", 4, "198.51.100.1")
    carried, options = above(Parts(4, addresses)), fields.hexadecimal("options", 40, multiple=4)
    words = 5 + len(options) // 4
    version, ihl, length = fields.optional("version", 4), fields.optional("ihl", 4), fields.optional("length", 16)
    full = _fits(fields, words * 4 + len(carried.data))
    head = struct.pack(
        "!BBHHHBBH",
        (4 if version is None else version) << 4 | (words if ihl is None else ihl),
        fields.number("tos", 8, 0),
        full if length is None else length,
        fields.number("identification", 16, 0),
        fields.bits("flags", _IP_FLAGS, ()) << 13 | fields.number("fragment_offset", 13, 0),
        fields.number("ttl", 8, 64),
        fields.number("protocol", 8, _EXPERIMENT if carried.protocol is None else carried.protocol),
        0,
    )
    return _summed(head + addresses + options, 10, fields) + carried.data


def _ipv6(fields: Fields, above: Callable[[Parts], Transport]) -> bytes:
    addresses = fields.address("source", 6, "2001:db8::1") + fields.address("destination", 6, "2001:db8:1::1")
    carried = above(Parts(6, addresses))
    last = fields.number("next_header", 8, _NOTHING if carried.protocol is None else carried.protocol)
    first, chain = _chain(fields, last)
    version, length = fields.optional("version", 4), fields.optional("length", 16)
    full = _fits(fields, len(chain) + len(carried.data))
    word = (6 if version is None else version) << 28 | fields.number("traffic_class", 8, 0) << 20
    head = struct.pack(
        "!IHBB",
        word | fields.number("flow_label", 20, 0),
        full if length is None else length,
        first,
        fields.number("hop_limit", 8, 64),
    )
    return head + addresses + chain + carried.data


def _chain(fields: Fields, last: int) -> Tuple[int, bytes]:
    """The type of the first extension header, and all of them, the last one followed by ``last``."""
    given = fields.raw("extensions") if "extensions" in fields else []
    words = [*_EXTENSIONS, "fragment"]
    if not isinstance(given, list) or len(given) > _MOST_EXTENSIONS:
        problem = f"is no list of at most {_MOST_EXTENSIONS} extension headers."
        raise BadInput(MANIFEST, fields.at("extensions"), problem, f"Each is one of: {', '.join(words)}.")
    kinds: List[Tuple[int, bytes]] = []
    for number, said in enumerate(given):
        one = Fields(said if isinstance(said, dict) else {str(said): {}}, f"{fields.at('extensions')}[{number}]", words)
        kinds += [_extension(one, name) for name in words if name in one]
    types = [kind for kind, dummy in kinds] + [last]
    return types[0], b"".join(bytes([after]) + body for (dummy, body), after in zip(kinds, types[1:]))


def _extension(one: Fields, name: str) -> Tuple[int, bytes]:
    """Its type, and its bytes behind the next header: eight in all."""
    if name != "fragment":
        one.below(name, ())  # has no fields of its own
        return _EXTENSIONS[name], b"\0" + _EIGHT_EMPTY_BYTES[_EXTENSIONS[name]]
    fields = one.below(name, _FRAGMENT_FIELDS)
    more = fields.raw("more") if "more" in fields else False
    if not isinstance(more, bool):
        raise BadInput(MANIFEST, fields.at("more"), f"is {str(more)[:60]!r}.", "Give true or false.")
    place = fields.number("offset", 13, 0) << 3 | more
    return _FRAGMENT, struct.pack("!BHI", 0, place, fields.number("identification", 32, 0))


def transport(fields: Fields, name: str, parts: Parts, data: bytes) -> Transport:
    return {"udp": _udp, "tcp": _tcp, "icmp": _icmp}[name](fields, parts, data)


def _udp(fields: Fields, parts: Parts, data: bytes) -> Transport:
    length, full = fields.optional("length", 16), _fits(fields, 8 + len(data))
    head = struct.pack("!HHHH", *_ports(fields), full if length is None else length, 0)
    whole = _summed(head, 6, fields, _pseudo(parts, UDP, full), data)
    # A sum of zero is sent as all ones: zero says that there is none (RFC 768).
    zero = "checksum" not in fields and whole[6:8] == b"\0\0"
    return Transport(UDP, (whole[:6] + b"\xff\xff" if zero else whole) + data)


def _tcp(fields: Fields, parts: Parts, data: bytes) -> Transport:
    options = fields.hexadecimal("options", 40, multiple=4)
    head = struct.pack(
        "!HHIIBBHHH",
        *_ports(fields),
        fields.number("sequence", 32, 0),
        fields.number("acknowledgement", 32, 0),
        5 + len(options) // 4 << 4,
        fields.bits("flags", _TCP_FLAGS, ("syn",)),
        fields.number("window", 16, 65535),
        0,
        fields.number("urgent", 16, 0),
    )
    covered = _pseudo(parts, TCP, len(head) + len(options) + len(data))
    return Transport(TCP, _summed(head + options, 16, fields, covered, data) + data)


def _icmp(fields: Fields, parts: Parts, data: bytes) -> Transport:
    """An echo request unless told otherwise; over IPv6 it is ICMPv6, whose sum covers the addresses too."""
    kind, request = (ICMP, 8) if parts.version == 4 else (ICMPV6, 128)
    words = (fields.number("identifier", 16, 0), fields.number("sequence", 16, 0))
    head = struct.pack("!BBHHH", fields.number("type", 8, request), fields.number("code", 8, 0), 0, *words)
    covered = b"" if kind == ICMP else _pseudo(parts, kind, len(head) + len(data))
    return Transport(kind, _summed(head, 2, fields, covered, data) + data)


def _ports(fields: Fields) -> Tuple[int, int]:
    return fields.number("source", 16, _SOURCE_PORT), fields.number("destination", 16, _DESTINATION_PORT)


def _fits(fields: Fields, length: int) -> int:
    if length > 0xFFFF:
        raise BadInput(MANIFEST, fields.field, f"would carry {length} bytes.", "Its length field holds 65535.")
    return length


def _pseudo(parts: Parts, protocol: int, length: int) -> bytes:
    layout = "!BBH" if parts.version == 4 else "!I3xB"
    return parts.addresses + struct.pack(layout, *((0, protocol, length) if parts.version == 4 else (length, protocol)))


def _summed(head: bytes, at: int, fields: Fields, before: bytes = b"", behind: bytes = b"") -> bytes:
    """``head`` with the Internet checksum (RFC 1071) of all three, or with the one that is given."""
    given = fields.optional("checksum", 16)
    return head[:at] + struct.pack("!H", _sum(before, head, behind) if given is None else given) + head[at + 2 :]


def _sum(*parts: bytes) -> int:
    total = 0
    for part in parts:
        padded = part + b"\0" * (len(part) % 2)
        total += sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
