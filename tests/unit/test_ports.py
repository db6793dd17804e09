# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of port sets: a number, in the byte order that the program looks it up in."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirespeed.config.ports import PortSet
from wirespeed.config.tables import Table
from wirespeed.errors import Place


@pytest.mark.parametrize(
    ("codec", "key"),
    [
        (PortSet(2, False), b"\xbb\x01"),
        (PortSet(2, True), b"\x01\xbb"),
        (PortSet(4, False), b"\xbb\x01\0\0"),
        (PortSet(4, True), b"\x01\xbb\0\0"),
    ],
)
def test_key_of_port_443(codec: PortSet, key: bytes) -> None:
    """On a little-endian machine, for which alone objects are read."""
    assert codec.encode("443") == key
    assert codec.decode(key) == "443"


@given(st.integers(0, 65535), st.sampled_from((2, 4)), st.booleans())
def test_every_port_survives_the_way_there_and_back(port: int, size: int, swapped: bool) -> None:
    codec = PortSet(size, swapped)
    assert codec.decode(codec.encode(str(port))) == str(port)


@pytest.mark.parametrize("row", ["65536", "-1", "", "http", "80-90", "4_43", "٤٤٣", "000443", "9" * 5000])
def test_what_is_no_port_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match="is no port, which is a number from 0 to 65535"):
        PortSet(4, False).encode(row)


@pytest.mark.parametrize(("row", "spelling"), [(" 443 ", "443"), ("00443", "443"), ("0", "0")])
def test_one_canonical_spelling(row: str, spelling: str) -> None:
    codec = PortSet(2, True)
    assert codec.decode(codec.encode(row)) == spelling


@pytest.mark.parametrize("swapped", [False, True])
def test_rows_come_in_the_order_of_ports(swapped: bool) -> None:
    ports = [str(port) for port in range(0, 65536, 97)]
    shuffled = random.Random(7).sample(ports, len(ports))
    table = Table("ports", "port_set", PortSet(4, swapped), 65536)
    assert list(table.keys(shuffled, Place("ports.txt"))) == ports


def test_a_key_that_is_no_port_can_still_be_read() -> None:
    """A hash map of 4-byte keys may hold what no packet has; somebody else wrote it."""
    assert PortSet(4, True).decode(b"\0\0\1\0") == "65536"
