# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of a fixture, from hex digits or from its layers: ``{ipv4: {source: 192.0.2.7}, udp: {destination: 53}}``.

What a header can compute (lengths, checksums, the type of what follows) is computed unless it is given, so that a
packet can also be wrong on purpose. Pure.
"""

from __future__ import annotations

import struct
from typing import Any, List, Mapping, Tuple

from ..errors import BadInput
from .checks import Packet
from .packet_fields import MANIFEST, Fields, hexadecimal, number, wrong
from .packet_ip import HEADERS, TRANSPORTS, Parts, Transport, internet, transport

SHORTEST = 14  # an Ethernet header: BPF_PROG_TEST_RUN takes no less (net/bpf/test_run.c, bpf_test_init)
LONGEST = 65535
ONE_BUFFER = 3520
"""What a program without frags can be given: a page of 4096 less XDP_PACKET_HEADROOM and struct skb_shared_info.
Of a longer frame BPF_PROG_TEST_RUN would show it the first part only (net/bpf/test_run.c, Linux 6.18)."""

ETH_P_IPV4, ETH_P_IPV6, ETH_P_8021Q, ETH_P_8021AD = 0x0800, 0x86DD, 0x8100, 0x88A8
_EXPERIMENTAL = 0x88B5  # IEEE 802, local experiments: what a frame with no other layer is
_MOST_TAGS = 8
_SOURCE, _DESTINATION = "02:00:00:00:00:01", "02:00:00:00:00:02"

LAYERS: Mapping[str, Tuple[str, ...]] = {
    "ethernet": ("source", "destination", "type"),
    "vlan": ("id", "priority", "type"),
    **HEADERS,
    **TRANSPORTS,
    "payload": ("hex",),
    "length": (),
    "cut": (),
}
"""Every key of a packet, and the fields below it."""


def frame(packet: Packet, field: str) -> bytes:
    """``field`` is where the packet stands: ``tests[3].packet``. Raises :class:`BadInput` that names the part of it."""
    built = hexadecimal(packet, field, LONGEST) if isinstance(packet, str) else _built(packet, field)
    if not SHORTEST <= len(built) <= LONGEST:
        remedy = f"A frame has {SHORTEST} (an Ethernet header) to {LONGEST} bytes."
        raise BadInput(MANIFEST, field, f"is a frame of {len(built)} bytes.", remedy)
    return built


def _built(packet: Any, field: str) -> bytes:
    said = Fields(packet, field, tuple(LAYERS))
    ip, inner = _one_of(said, HEADERS), _one_of(said, TRANSPORTS)
    if inner and not ip:
        raise BadInput(MANIFEST, said.at(inner), "stands without an IP header.", "Add ipv4: {} or ipv6: {}.")
    data = _payload(said)
    whole = _ethernet(said, ip) + data
    if ip:
        header = said.below(ip, HEADERS[ip])
        above = said.below(inner, TRANSPORTS[inner]) if inner else None
        whole = _ethernet(said, ip) + internet(header, ip, lambda parts: _above(above, inner, parts, data))
    return _sized(said, whole)


def _one_of(said: Fields, names: Mapping[str, Any]) -> str:
    given = [name for name in names if name in said]
    if len(given) > 1:
        remedy = "Keep one; give what carries another header as hex digits."
        raise BadInput(MANIFEST, said.at(given[1]), f"stands beside {given[0]}.", remedy)
    return given[0] if given else ""


def _above(fields: "Fields | None", name: str, parts: Parts, data: bytes) -> Transport:
    return transport(fields, name, parts, data) if fields is not None else Transport(None, data)


def _ethernet(said: Fields, ip: str) -> bytes:
    fields = said.below("ethernet", LAYERS["ethernet"])
    kind = {"ipv4": ETH_P_IPV4, "ipv6": ETH_P_IPV6}.get(ip, _EXPERIMENTAL)
    tags = _tags(said)
    types = [tpid for tpid, dummy in tags] + [fields.number("type", 16, kind)]
    head = fields.mac("destination", _DESTINATION) + fields.mac("source", _SOURCE) + struct.pack("!H", types[0])
    return head + b"".join(struct.pack("!HH", tci, after) for (dummy, tci), after in zip(tags, types[1:]))


def _tags(said: Fields) -> List[Tuple[int, int]]:
    """Type and control word of each VLAN tag, from outside in; the outer of several is 802.1ad."""
    given = said.raw("vlan") if "vlan" in said else []
    given = given if isinstance(given, list) else [given]
    if len(given) > _MOST_TAGS:
        raise BadInput(MANIFEST, said.at("vlan"), f"has {len(given)} tags.", f"Give at most {_MOST_TAGS}.")
    found = []
    for place, tag in enumerate(given):
        fields = Fields(tag if isinstance(tag, dict) else {"id": tag}, f"{said.at('vlan')}[{place}]", LAYERS["vlan"])
        usual = ETH_P_8021AD if place == 0 and len(given) > 1 else ETH_P_8021Q
        tci = fields.number("priority", 3, 0) << 13 | fields.number("id", 12, 0)
        found.append((fields.number("type", 16, usual), tci))
    return found


def _payload(said: Fields) -> bytes:
    given = said.raw("payload") if "payload" in said else ""
    if isinstance(given, str):
        return given.encode("utf-8", "surrogatepass")
    if isinstance(given, dict):
        return said.below("payload", LAYERS["payload"]).hexadecimal("hex", LONGEST)
    raise wrong(said.at("payload"), given, "Give a text, or hex digits as {hex: '00 01'}.")


def _sized(said: Fields, whole: bytes) -> bytes:
    """``length`` pads with zeros behind the packet, as a NIC does; ``cut`` leaves only the front."""
    if "length" in said:
        whole = whole.ljust(number(said.raw("length"), said.at("length"), len(whole), LONGEST), b"\0")
    if "cut" in said:
        whole = whole[: number(said.raw("cut"), said.at("cut"), SHORTEST, len(whole))]
    return whole
