# SPDX-License-Identifier: GPL-3.0-or-later
"""Classification rules as texts and as bytes of struct ethtool_rx_flow_spec."""

from __future__ import annotations

import pytest

from wirespeed.nic.flow_rule import parsed, rule_of, spec_of

NOTHING = bytes(52)
FULL2 = b"\xff\xff"


def union(**parts: bytes) -> bytes:
    """``at_8=b"..."`` puts bytes at an offset of the union."""
    made = bytearray(52)
    for place, value in parts.items():
        offset = int(place[3:])
        made[offset : offset + len(value)] = value
    return bytes(made)


@pytest.mark.parametrize(
    ("text", "flow", "value", "mask", "cookie"),
    [
        ("udp4 dst-port 53 action 2", 0x02, union(at_10=b"\x00\x35"), union(at_10=FULL2), 2),
        (
            "tcp4 src-ip 192.0.2.0/24 dst-port 443 action 3",
            0x01,
            union(at_0=b"\xc0\x00\x02\x00", at_10=b"\x01\xbb"),
            union(at_0=b"\xff\xff\xff\x00", at_10=FULL2),
            3,
        ),
        ("ether proto 0x88f7 action 1", 0x12, union(at_12=b"\x88\xf7"), union(at_12=FULL2), 1),
        ("sctp6 src-port 7 action -1", 0x07, union(at_32=b"\x00\x07"), union(at_32=FULL2), 0xFFFFFFFFFFFFFFFF),
        ("esp6 spi 9 action -2", 0x0C, union(at_32=b"\0\0\0\x09"), union(at_32=b"\xff" * 4), 0xFFFFFFFFFFFFFFFE),
        ("ah4 tos 4 vf 2 queue 5 ", 0x09, union(at_12=b"\x04"), union(at_12=b"\xff"), 3 << 32 | 5),
        ("ip4 l4proto 17 action 0", 0x0D, union(at_13=b"\x01", at_14=b"\x11"), union(at_14=b"\xff"), 0),
        ("ip6 l4proto 58 tclass 1 action 0", 0x0E, union(at_36=b"\x01\x3a"), union(at_36=b"\xff\xff"), 0),
    ],
)
def test_a_rule_is_laid_out_as_the_kernel_has_it(text: str, flow: int, value: bytes, mask: bytes, cookie: int) -> None:
    spec = spec_of(parsed(text), lambda number: number)
    assert (spec.flow, spec.value, spec.mask, spec.cookie) == (flow, value, mask, cookie)


def test_vlan_user_data_and_a_mac_behind_ip_are_extensions() -> None:
    spec = spec_of(parsed("udp4 vlan 10 m 0xf000 user-def 0x1 dst-mac 2:0:0:0:0:1 action 1"), lambda number: number)
    assert spec.flow == 0x02 | 0x80000000 | 0x40000000
    assert spec.ext_value == b"\0\0\x02\0\0\0\0\x01" + b"\0\0" + b"\0\x0a" + b"\0\0\0\0\0\0\0\x01"
    assert spec.ext_mask == b"\0\0" + b"\xff" * 6 + b"\0\0" + b"\x0f\xff" + b"\xff" * 8


def test_a_context_goes_by_its_id() -> None:
    spec = spec_of(parsed("tcp4 dst-port 80 context 2"), {1: 5, 2: 9}.__getitem__)
    assert (spec.flow, spec.context, spec.cookie) == (0x01 | 0x20000000, 9, 0)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("flow-type udp4   dst-port 0x35 action 2", "udp4 dst-port 53 action 2"),
        ("udp4 action 2 dst-port 53", "udp4 dst-port 53 action 2"),
        ("tcp4 src-ip 192.0.2.77/24 action 0", "tcp4 src-ip 192.0.2.0/24 action 0"),
        ("tcp4 src-ip 192.0.2.0 m 0.0.0.255 action 0", "tcp4 src-ip 192.0.2.0/24 action 0"),
        ("tcp4 src-ip 192.0.2.1/32 action 0", "tcp4 src-ip 192.0.2.1 action 0"),
        ("tcp4 src-ip 0.0.0.0/0 dst-port 1 action 0", "tcp4 dst-port 1 action 0"),
        ("tcp4 src-ip 10.0.0.1 src-ip-mask 0.255.0.0 action 0", "tcp4 src-ip 10.0.0.1 m 0.255.0.0 action 0"),
        ("udp6 dst-ip 2001:DB8:0::1 action 1 loc 3", "udp6 dst-ip 2001:db8::1 action 1 loc 3"),
        (
            "ether dst 1:0:5E:0:0:0 m 0:0:0:ff:ff:ff action 0",
            "ether dst 01:00:5e:00:00:00 m 00:00:00:ff:ff:ff action 0",
        ),
        ("ether vlan 0x600a m 0x1fff action 1", "ether vlan 24576 m 0x1fff action 1"),
        ("tcp4 dst-port 80 action 0 context 1", "tcp4 dst-port 80 context 1"),
        ("tcp4 dst-port 80 action 2 context 1", "tcp4 dst-port 80 context 1 action 2"),
    ],
)
def test_a_rule_has_one_text(text: str, canonical: str) -> None:
    assert str(parsed(text)) == canonical
    assert str(parsed(canonical)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "udp4 src-ip 10.0.3.0 m 0.255.0.255 dst-port 1024 m 0x3ff tos 0x04 vlan 10 m 0xf000 action 2 loc 7",
        "ether dst 02:00:00:00:00:01 src 02:00:00:00:00:02 proto 0x0800 vlan-etype 0x88a8 action -1 loc 0",
        "ip6 src-ip 2001:db8::/32 l4data 0x00000001 tclass 0x10 l4proto 6 context 1 action 2 loc 4294967294",
        "sctp4 dst-mac 02:00:00:00:00:01 user-def 0x0000000000000002 vf 0 queue 3 loc 1",
        "esp4 spi 0x00000100 action -2 loc 2",
        "tcp6 action 0 loc 3",
    ],
)
def test_what_the_kernel_gives_back_is_the_text_that_was_written(text: str) -> None:
    spec = spec_of(parsed(text), lambda number: number + 10)
    assert str(rule_of(spec, spec.context - 10, located=True)) == text


def test_bits_that_are_not_compared_do_not_make_another_rule() -> None:
    spec = spec_of(parsed("tcp4 src-ip 10.0.0.0/8 action 1"), lambda number: number)
    noisy = type(spec)(**{**vars(spec), "value": union(at_0=b"\x0a\x01\x02\x03", at_8=b"\x12\x34")})
    assert str(rule_of(noisy, 0, located=False)) == "tcp4 src-ip 10.0.0.0/8 action 1"


def test_a_kind_of_packet_without_a_word_is_no_rule() -> None:
    spec = spec_of(parsed("tcp4 action 1"), lambda number: number)
    assert rule_of(type(spec)(**{**vars(spec), "flow": 0x04}), 0, located=True) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with ''"),
        ("udp5 dst-port 1 action 1", "begins with 'udp5'"),
        ("udp4 dst-port 53", "says not what to do"),
        ("udp4 dst-port 70000 action 1", "'dst-port' '70000'"),
        ("udp4 dst-port -1 action 1", "'dst-port' '-1'"),
        ("udp4 dst-port 5 m action 1", "'1' without a value"),
        ("udp4 proto 1 action 2", "'proto', which udp4 does not know"),
        ("ether src-ip 10.0.0.1 action 2", "'src-ip', which ether does not know"),
        ("tcp4 src-ip 10.0.0.1/33 action 1", "'10.0.0.1/33'"),
        ("tcp4 src-ip 2001:db8::1 action 1", "'2001:db8::1'"),
        ("tcp4 dst-port 1/8 action 1", "'1/8'"),
        ("udp4 dst-port 5 dst-port 6 action 1", "'dst-port' twice"),
        ("udp4 dst-port", "'dst-port' without a value"),
        ("udp4 action -3", "'action' -3"),
        ("udp4 vf 1 action 2", "together"),
        ("udp4 vf 255 queue 2", "'vf' '255'"),
        ("udp4 action 1 loc -1", "'loc' '-1'"),
        ("udp4 action one", "'action' 'one'"),
    ],
)
def test_a_mistake_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        parsed(text)
    assert said in str(caught.value)
