# SPDX-License-Identifier: GPL-3.0-or-later
"""What single fields take, and how they show it."""

from __future__ import annotations

from typing import Any

import pytest

from wirespeed.config.fields import quantity
from wirespeed.config.fields.address import Address, Mac
from wirespeed.config.fields.compound import Array
from wirespeed.config.fields.number import BIG, Number, Truth
from wirespeed.config.fields.prefix import Prefix
from wirespeed.config.fields.raw import Hex, Text
from wirespeed.config.fields.word import Flags, Word, without_prefix

NANO = quantity.duration(Number(8), "ns")
SECONDS = quantity.duration(Number(4), "s")
PPS = quantity.rate(Number(8), "pps")
EVENTS = quantity.rate(Number(8), "/s")
BITS = quantity.rate(Number(8), "bit")
BYTES = quantity.rate(Number(8), "byte")
FLAGS = Flags(Number(4), {"fast": 1, "loud": 4})
WORD = Word(Number(1), {"pass": 0, "drop": 1}, {"action_pass": 0})


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        (NANO, "250ms", "250ms"),
        (NANO, "1500us", "1500us"),
        (NANO, 1_000_000, "1ms"),
        (NANO, "0.5 s", "500ms"),
        (NANO, "7", "7ns"),
        (NANO, 0, "0ns"),
        (SECONDS, "5m", "5m"),
        (SECONDS, 90, "90s"),
        (SECONDS, "2h", "2h"),
        (SECONDS, "36h", "36h"),
        (SECONDS, "2d", "2d"),
        (PPS, "10kpps", "10kpps"),
        (PPS, "1.5Mpps", "1500kpps"),
        (PPS, "1Mpps", "1Mpps"),
        (PPS, 5, "5pps"),
        (PPS, "5/s", "5pps"),
        (EVENTS, "120/m", "2/s"),
        (EVENTS, "36k/h", "10/s"),
        (BITS, "100Mbit", "100Mbit"),
        (BITS, "1MB/s", "8Mbit"),
        (BYTES, "100Mbit", "12500kB/s"),
        (BYTES, "8 bit/s", "1B/s"),
        (Number(2), "0xFF", 255),
        (Number(2), "007", 7),
        (Number(2, signed=True), "-1", -1),
        (Truth(), "yes", True),
        (Truth(), 0, False),
        (FLAGS, ["loud", "FAST"], ["fast", "loud"]),
        (FLAGS, "fast, loud", ["fast", "loud"]),
        (FLAGS, "", []),
        (WORD, "DROP", "drop"),
        (WORD, "ACTION_PASS", "pass"),
        (Hex(3), "00 0a FF", "000aff"),
        (Text(4), "abc", "abc"),
        (Array(Number(2, order=BIG), 4), "80, 443", [80, 443]),
        (Array(Number(2), 3), [0, 256], [0, 256]),
        (Array(Number(2), 3), [], []),
        (Address(4), " 192.0.2.1 ", "192.0.2.1"),
        (Address(6), "2001:DB8::0", "2001:db8::"),
        (Mac(), "02:00:5E:00:53:01", "02:00:5e:00:53:01"),
        (Prefix(4), "192.0.2.1", "192.0.2.1/32"),
        (Prefix(6, fixed=32), "2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_a_value_has_one_canonical_spelling(field: Any, value: Any, shown: Any) -> None:
    raw = field.encode(value)
    assert (len(raw), field.decode(raw)) == (field.size, shown)
    assert field.encode(shown) == raw


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (NANO, "-5s", "is no duration, such as"),
        (NANO, "5S", "is no duration"),
        (NANO, "1.5ns", "is no whole number of ns"),
        (NANO, "99999999999d", "is not from 0 to"),
        (SECONDS, "250ms", "is no whole number of s, in which the map has it"),
        (PPS, "10mpps", "is no rate, such as 10kpps or 10pps"),
        (PPS, "10Mbit", "is no rate"),
        (BITS, "10kpps", "is no rate, such as 10kbit or 10bit"),
        (BYTES, "1bit", "is no whole number of B/s"),
        (Number(1), 256, "is not from 0 to 255"),
        (Number(1), "1_0", "is no whole number from 0 to 255"),
        (Number(1), "+1", "is no whole number"),
        (Number(1), "٣", "is no whole number"),
        (Number(8), "9" * 5000, "is no whole number"),
        (Number(1, signed=True), 128, "is not from -128 to 127"),
        (Hex(2), "0", "is no text of 4 hex digits"),
        (Text(4), "abcd", "has 4 bytes; at most 3 fit"),
        (Text(4), "a\0", "is no text"),
        (Text(8), "\udcff", "is not UTF-8"),
        (WORD, 1, "is none of pass, drop"),
        (WORD, True, "is none of pass, drop"),
        (FLAGS, 5, "is no list"),
        (Array(Number(1), 2), [1, 2, 3], "has 3 elements; at most 2 fit"),
        (Array(Number(1), 2), [1, "x"], "has 'x' as element 1, which is no whole number"),
        (Address(4), 3232235777, "is no text with an IPv4 address; put it in quotes"),
        (Address(4), "192.0.2", "is no IPv4 address"),
        (Address(4), "0300.0.2.1", "is no IPv4 address"),
        (Address(6), "fe80::1%eth0", "has a scope"),
        (Mac(), "02-00-5e-00-53-01", "is no Ethernet address"),
        (Prefix(4), "10.0.0.0/255.0.0.0", "has a netmask; write the length: 10.0.0.0/8"),
    ],
)
def test_a_value_that_cannot_be_is_refused(field: Any, value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        field.encode(value)
    if isinstance(value, str):
        with pytest.raises(ValueError):
            field.bulk([value])


def test_what_has_no_name_shows_as_a_number() -> None:
    assert WORD.decode(b"\x09") == 9
    assert FLAGS.decode((13).to_bytes(4, "little")) == ["fast", "loud", 8]


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["ACTION_PASS", "ACTION_DROP"], ["pass", "drop"]),
        (["STATE_NEW", "STATE_NEAR"], ["new", "near"]),
        (["ONLY_ONE"], ["only_one"]),
        (["LEFT", "RIGHT"], ["left", "right"]),
        (["A_", "A_B"], ["", "b"]),
    ],
)
def test_an_enums_common_prefix_is_left_out(names: Any, short: Any) -> None:
    assert list(without_prefix(dict.fromkeys(names, 0))) == short
