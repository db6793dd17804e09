# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of address sets: one spelling each, exactly the bytes that stand in a packet."""

from __future__ import annotations

import ipaddress
from typing import Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirespeed.config.addresses import AddressSet, EthernetSet

V4, V6, ETHERNET = AddressSet(4), AddressSet(6), EthernetSet()
Codec = Union[AddressSet, EthernetSet]


@pytest.mark.parametrize(
    ("codec", "row", "key"),
    [
        (V4, "192.0.2.1", bytes([192, 0, 2, 1])),
        (V6, "2001:db8::1", bytes([0x20, 0x01, 0x0D, 0xB8]) + bytes(11) + b"\x01"),
        (ETHERNET, "02:00:5e:00:53:01", bytes([2, 0, 0x5E, 0, 0x53, 1])),
    ],
)
def test_key_is_the_address_as_in_a_packet(codec: Codec, row: str, key: bytes) -> None:
    assert codec.encode(row) == key
    assert codec.decode(key) == row


@pytest.mark.parametrize(
    ("codec", "row", "spelling"),
    [
        (V4, " 192.0.2.1 ", "192.0.2.1"),
        (V6, "2001:0DB8:0::1", "2001:db8::1"),
        (ETHERNET, "02:00:5E:00:53:01", "02:00:5e:00:53:01"),
    ],
)
def test_one_canonical_spelling(codec: Codec, row: str, spelling: str) -> None:
    assert codec.decode(codec.encode(row)) == spelling


@given(st.ip_addresses(v=4))
def test_ipv4_survives_the_way_there_and_back(address: ipaddress.IPv4Address) -> None:
    assert V4.decode(V4.encode(str(address))) == str(address)


@given(st.ip_addresses(v=6))
def test_ipv6_survives_the_way_there_and_back(address: ipaddress.IPv6Address) -> None:
    assert V6.decode(V6.encode(str(address))) == str(address)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_a_reason(row: str) -> None:
    for codec in (V4, V6, ETHERNET):
        try:
            key = codec.encode(row)
        except ValueError as reason:
            assert str(reason).endswith(".")
        else:
            assert codec.encode(codec.decode(key)) == key


@pytest.mark.parametrize(
    ("codec", "row", "reason"),
    [
        (V4, "192.0.2.0/24", "has a prefix length, but this table holds addresses one by one."),
        (V4, "192.0.2.256", "is no IPv4 address, such as 192.0.2.1."),
        (V4, "2001:db8::1", "is an IPv6 address, but this table holds IPv4."),
        (V6, "192.0.2.1", "is an IPv4 address, but this table holds IPv6."),
        (V6, "fe80::1%eth1", "has a scope ('%'), which no packet carries."),
        (V6, "", "is no IPv6 address, such as 2001:db8::1."),
        (ETHERNET, "02:00:5e:00:53", "is no Ethernet address, such as 02:00:5e:00:53:01."),
        (ETHERNET, "02-00-5e-00-53-01", "is no Ethernet address"),
    ],
)
def test_a_bad_row_says_why(codec: Codec, row: str, reason: str) -> None:
    with pytest.raises(ValueError) as error:
        codec.encode(row)
    assert reason in str(error.value)
