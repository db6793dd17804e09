# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of fixtures: what layers come to, byte by byte, and mistakes told with their field."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirespeed.errors import BadInput
from wirespeed.pipeline.packet import LAYERS, LONGEST, SHORTEST, frame

FIELD = "tests[3].packet"
ETHERNET = "020000000002 020000000001"
V4 = "c0000201 c6336401"
V6 = "20010db8000000000000000000000001 20010db8000100000000000000000001"


def built(packet: Any) -> bytes:
    return frame(packet, FIELD)


def refused(packet: Any) -> str:
    with pytest.raises(BadInput) as error:
        built(packet)
    return str(error.value)


def checksum(data: bytes) -> int:
    """RFC 1071, in the plainest way; 0 over data that holds its own sum."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        ("0000 0000 0000 0000 0000 0000 88b5 01", "0000000000000000000000 0088b501"),
        ({}, f"{ETHERNET} 88b5"),
        ({"ethernet": {"destination": "ff:ff:ff:ff:ff:ff", "type": 0x806}}, "ffffffffffff 020000000001 0806"),
        ({"vlan": [10]}, f"{ETHERNET} 8100 000a 88b5"),
        ({"vlan": [10, 20]}, f"{ETHERNET} 88a8 000a 8100 0014 88b5"),
        ({"vlan": {"id": 10, "priority": 7, "type": 0x9100}}, f"{ETHERNET} 9100 e00a 88b5"),
        ({"payload": "hi"}, f"{ETHERNET} 88b5 6869"),
        ({"payload": {"hex": "00 ff"}, "length": 20}, f"{ETHERNET} 88b5 00ff 0000 0000"),
        ({"ipv4": {}}, f"{ETHERNET} 0800 4500 0014 0000 0000 40fd 8db7 {V4}"),
        (
            {"ipv4": {"tos": 1, "identification": 2, "flags": ["df", "mf"], "fragment_offset": 3, "checksum": 4}},
            f"{ETHERNET} 0800 4501 0014 0002 6003 40fd 0004 {V4}",
        ),
        (
            {
                "ipv4": {
                    "version": 5,
                    "ihl": 4,
                    "length": 9,
                    "ttl": 1,
                    "protocol": 2,
                    "checksum": 0,
                    "options": "01010100",
                }
            },
            f"{ETHERNET} 0800 5400 0009 0000 0000 0102 0000 {V4} 01010100",
        ),
        ({"ipv6": {}}, f"{ETHERNET} 86dd 6000 0000 0000 3b40 {V6}"),
        (
            {
                "ipv6": {
                    "traffic_class": 1,
                    "flow_label": 2,
                    "hop_limit": 3,
                    "next_header": 4,
                    "length": 5,
                    "version": 7,
                }
            },
            f"{ETHERNET} 86dd 7010 0002 0005 0403 {V6}",
        ),
        (
            {"ipv6": {"extensions": ["hop_by_hop", {"fragment": {"offset": 2, "more": True, "identification": 9}}]}},
            f"{ETHERNET} 86dd 6000 0000 0010 0040 {V6} 2c00 0104 0000 0000 3b00 0011 0000 0009",
        ),
        (
            {"ipv4": {"checksum": 0}, "udp": {"source": 1, "destination": 2, "checksum": 0}, "payload": "x"},
            f"{ETHERNET} 0800 4500 001d 0000 0000 4011 0000 {V4} 0001 0002 0009 0000 78",
        ),
        (
            {"ipv4": {"checksum": 0}, "tcp": {"flags": ["fin", "cwr"], "options": "02040218", "checksum": 0}},
            f"{ETHERNET} 0800 4500 002c 0000 0000 4006 0000 {V4} c0000009 00000000 00000000 6081ffff 00000000 02040218",
        ),
        ({"ipv6": {}, "icmp": {"checksum": 7}}, f"{ETHERNET} 86dd 6000 0000 0008 3a40 {V6} 8000 0007 0000 0000"),
        ({"ipv4": {}, "udp": {}, "cut": 16}, f"{ETHERNET} 0800 4500"),
    ],
)
def test_layers_come_to_these_bytes(packet: Any, said: str) -> None:
    assert built(packet).hex() == said.replace(" ", "")


@pytest.mark.parametrize("version", ["ipv4", "ipv6"])
@pytest.mark.parametrize(("layer", "protocol"), [("udp", 17), ("tcp", 6)])
@pytest.mark.parametrize("payload", ["", "odd", "even"])
def test_a_computed_checksum_adds_up_with_the_pseudo_header(
    version: str, layer: str, protocol: int, payload: str
) -> None:
    whole = built({version: {}, layer: {}, "payload": payload})
    head = 14 + (20 if version == "ipv4" else 40)
    addresses, data = whole[26:34] if version == "ipv4" else whole[22:54], whole[head:]
    assert checksum(addresses + struct.pack("!II", len(data), protocol) + data) == 0


def test_an_ipv4_header_adds_up() -> None:
    assert checksum(built({"ipv4": {"options": "01010100"}, "udp": {}})[14:38]) == 0


def test_an_echo_request_adds_up_without_addresses() -> None:
    assert checksum(built({"ipv4": {}, "icmp": {"identifier": 1, "sequence": 2}, "payload": "abc"})[34:]) == 0


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        ("45 0", f"{FIELD}: is '45 0'. Give pairs of hex digits, in quotes"),
        ("00" * 13, f"{FIELD}: is a frame of 13 bytes. A frame has 14 (an Ethernet header) to 65535 bytes."),
        ([1], f"{FIELD}: is [1]. Give a mapping"),
        ({"ipv5": {}}, f"{FIELD}.ipv5: 'ipv5' is not known here. Did you mean 'ipv6'?"),
        ({"ipv4": {"src": "192.0.2.1"}}, f"{FIELD}.ipv4.src: 'src' is not known here."),
        ({"ipv4": None}, f"{FIELD}.ipv4: is None. Give a mapping of its fields"),
        ({"ipv4": {"source": "192.0.2.256"}}, f"{FIELD}.ipv4.source: is '192.0.2.256'. Give an IPv4 address, as"),
        ({"ipv6": {"source": "192.0.2.1"}}, f"{FIELD}.ipv6.source: is '192.0.2.1'. Give an IPv6 address, as"),
        ({"ipv4": {"ttl": 256}}, f"{FIELD}.ipv4.ttl: is 256. Give a whole number from 0 to 255."),
        ({"ipv4": {"ttl": True}}, f"{FIELD}.ipv4.ttl: is True. Give a whole number"),
        ({"ipv4": {"flags": ["dff"]}}, f"{FIELD}.ipv4.flags[0]: 'dff' is not known here. Did you mean 'df'?"),
        ({"ipv4": {"options": "01"}}, f"{FIELD}.ipv4.options: has 1 bytes. Give at most 40, a multiple of 4."),
        ({"udp": {}}, f"{FIELD}.udp: stands without an IP header. Add ipv4: {{}} or ipv6: {{}}."),
        ({"ipv4": {}, "ipv6": {}}, f"{FIELD}.ipv6: stands beside ipv4."),
        ({"ipv4": {}, "udp": {}, "tcp": {}}, f"{FIELD}.tcp: stands beside udp."),
        ({"ethernet": {"source": 723456}}, "is 723456. Give a MAC address in quotes, as '02:00:00:00:00:01'."),
        ({"vlan": [1, 4096]}, f"{FIELD}.vlan[1].id: is 4096. Give a whole number from 0 to 4095."),
        ({"vlan": [1] * 9}, f"{FIELD}.vlan: has 9 tags. Give at most 8."),
        ({"ipv6": {"extensions": ["hops"]}}, f"{FIELD}.ipv6.extensions[0].hops: 'hops' is not known here."),
        ({"ipv6": {"extensions": 1}}, f"{FIELD}.ipv6.extensions: is no list of at most 16 extension headers."),
        ({"payload": 7}, f"{FIELD}.payload: is 7. Give a text, or hex digits as {{hex: '00 01'}}."),
        ({"ipv4": {}, "length": 20}, f"{FIELD}.length: is 20. Give a whole number from 34 to 65535."),
        ({"cut": 13}, f"{FIELD}.cut: is 13. Give a whole number from 14 to 14."),
        ({"ipv4": {}, "udp": {}, "payload": "x" * 65530}, f"{FIELD}.udp: would carry 65538 bytes."),
    ],
)
def test_a_mistake_names_its_field_and_what_is_allowed(packet: Any, said: str) -> None:
    assert said in refused(packet)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["syn", "fragment", "192.0.2.1"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "hex", "more", "offset", "fragment"]) | st.text(), inner, max_size=4)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(sorted({name for names in LAYERS.values() for name in names}))
LAYER = ANYTHING | st.dictionaries(FIELDS, ANYTHING, max_size=5)


@given(packet=ANYTHING | st.dictionaries(st.sampled_from(sorted(LAYERS)), LAYER, max_size=5))
def test_no_packet_gives_a_traceback(packet: Any) -> None:
    try:
        assert SHORTEST <= len(built(packet)) <= LONGEST
    except BadInput as error:
        assert error.field.startswith(FIELD)


VALID = st.fixed_dictionaries(
    {},
    optional={
        "vlan": st.lists(st.integers(0, 4095), max_size=8),
        "ipv4": st.fixed_dictionaries({}, optional={"ttl": st.integers(0, 255), "options": st.just("01010101")}),
        "payload": st.text(max_size=50),
        "length": st.integers(300, 1500),
    },
)


@given(packet=VALID, extra=st.sampled_from(["udp", "tcp", "icmp"]))
def test_every_allowed_combination_builds(packet: Any, extra: str) -> None:
    whole = built({**packet, **({extra: {}} if "ipv4" in packet else {})})
    assert len(whole) == packet["length"] if "length" in packet else len(whole) >= SHORTEST
