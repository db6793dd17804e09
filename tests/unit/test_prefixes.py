# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of prefix sets: one spelling each, exactly the bytes that the kernel's trie wants."""

from __future__ import annotations

import ipaddress
from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirespeed.config.prefixes import PrefixSet
from wirespeed.config.tables import Table, difference
from wirespeed.errors import BadInput, Place

V4, V6 = PrefixSet(4), PrefixSet(6)
PLACE = Place("blocklist.txt")


def table(codec: PrefixSet = V4, room: int = 1000) -> Table:
    return Table("deny_v4", "prefix_set", codec, room)


def networks(version: int) -> "st.SearchStrategy[str]":
    bits = 32 if version == 4 else 128
    kind = ipaddress.IPv4Network if version == 4 else ipaddress.IPv6Network

    def network(address: int, length: int) -> str:
        return str(kind((address >> bits - length << bits - length, length)))

    return st.builds(network, st.integers(0, 2**bits - 1), st.integers(0, bits))


@pytest.mark.parametrize(
    ("codec", "row", "key"),
    [
        (V4, "192.0.2.0/24", bytes([24, 0, 0, 0, 192, 0, 2, 0])),
        (V4, "0.0.0.0/0", bytes(8)),
        (V6, "2001:db8::/32", bytes([32, 0, 0, 0, 0x20, 0x01, 0x0D, 0xB8]) + bytes(12)),
    ],
)
def test_key_is_length_then_address(codec: PrefixSet, row: str, key: bytes) -> None:
    assert codec.encode(row) == key
    assert codec.decode(key) == row


@given(networks(4))
def test_ipv4_survives_the_way_there_and_back(row: str) -> None:
    assert V4.decode(V4.encode(row)) == row


@given(networks(6))
def test_ipv6_survives_the_way_there_and_back(row: str) -> None:
    assert V6.decode(V6.encode(row)) == row


@given(st.text(max_size=40))
def test_any_text_is_a_prefix_or_a_reason(row: str) -> None:
    for codec in (V4, V6):
        try:
            key = codec.encode(row)
        except ValueError as reason:
            assert str(reason).endswith(".")
        else:
            assert codec.encode(codec.decode(key)) == key


@pytest.mark.parametrize(
    ("row", "spelling"),
    [("192.0.2.1", "192.0.2.1/32"), (" 192.0.2.0/24 ", "192.0.2.0/24"), ("10.0.0.0/8", "10.0.0.0/8")],
)
def test_one_canonical_spelling(row: str, spelling: str) -> None:
    assert list(table().keys([row], PLACE)) == [spelling]


@pytest.mark.parametrize("row", ["2001:DB8:0::/32", "2001:0db8::/32"])
def test_one_canonical_spelling_of_ipv6(row: str) -> None:
    assert list(table(V6).keys([row], PLACE)) == ["2001:db8::/32"]


@pytest.mark.parametrize(
    ("codec", "row", "reason"),
    [
        (V4, "192.0.2.7/24", "has host bits set; the network is 192.0.2.0/24, the address alone 192.0.2.7/32."),
        (V6, "2001:db8::7/32", "the network is 2001:db8::/32, the address alone 2001:db8::7/128."),
        (V4, "2001:db8::/32", "is an IPv6 prefix, but this table holds IPv4."),
        (V6, "192.0.2.0/24", "is an IPv4 prefix, but this table holds IPv6."),
        (V4, "192.0.2.0/33", "is no IPv4 prefix, such as 192.0.2.0/24."),
        (V4, "192.0.2.0/255.255.255.0", "has a netmask; write the length: 192.0.2.0/24."),
        (V4, "", "is no IPv4 prefix"),
        (V6, "fe80::1%eth1", "has a scope ('%'), which no packet carries."),
    ],
)
def test_a_bad_row_is_named_with_table_number_value_and_reason(codec: PrefixSet, row: str, reason: str) -> None:
    good = "10.0.0.0/8" if codec is V4 else "2001:db8:1::/48"
    with pytest.raises(BadInput) as error:
        table(codec).keys([good, row], PLACE)
    assert f"blocklist.txt: table deny_v4, row 2: {row!r} " in str(error.value)
    assert reason in str(error.value)


def test_a_row_given_twice_names_the_first() -> None:
    with pytest.raises(BadInput, match=r"row 3: '192.0.2.0/24' stands in row 1 already"):
        table().keys(["192.0.2.0/24", "10.0.0.0/8", "192.0.2.0/24"], PLACE)


def test_more_rows_than_room_are_refused() -> None:
    with pytest.raises(BadInput, match=r"has 3 rows, but its map holds 2. Raise maps.deny_v4.max_entries"):
        table(room=2).keys(["10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8"], PLACE)


@given(st.lists(networks(4), unique=True), st.lists(networks(4), unique=True))
def test_a_difference_leads_from_one_to_the_other(live: List[str], wanted: List[str]) -> None:
    add, remove = difference(live, wanted)
    assert (set(live) | set(add)) - set(remove) == set(wanted)
    assert not set(add) & set(live)


@given(st.lists(networks(4), unique=True, max_size=50))
def test_rows_come_in_one_order(rows: List[str]) -> None:
    assert list(table().keys(rows, PLACE)) == list(table().keys(list(reversed(rows)), PLACE))
