# SPDX-License-Identifier: GPL-3.0-or-later
"""The standard groups of ethtool netlink as the kernel sends them; made byte by byte, for no NIC at hand has them."""

from __future__ import annotations

import struct

from tests.unit.counter_cases import PROFILES
from wirespeed.counters.rawstats import RawStats
from wirespeed.counters.table import Counter, parse
from wirespeed.counters.unify import unify
from wirespeed.errors import Place
from wirespeed.kernel.ethtool_groups import decoded
from wirespeed.yaml_lines import read

NESTED = 0x8000
ETH_MAC, RMON, NEWER = 1, 3, 9


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def stat(number: int, value: int) -> bytes:
    """In a nest of its own, aligned to 64 bits by a pad attribute as nla_put_u64_64bit does it."""
    return attribute(4 | NESTED, attribute(number, struct.pack("=Q", value)))


def group(number: int, *stats: bytes) -> bytes:
    head = attribute(2, struct.pack("=I", number)) + attribute(3, struct.pack("=I", 17 + number))
    return head + b"".join(stats)


def test_counters_have_the_names_of_the_ethtool_command() -> None:
    sent = group(ETH_MAC, stat(0, 1), stat(3, 7), stat(4, 1 << 40))
    assert dict(decoded(sent)) == {
        "eth-mac-FramesTransmittedOK": 1,
        "eth-mac-FramesReceivedOK": 7,
        "eth-mac-FrameCheckSequenceErrors": 1 << 40,
    }


def test_what_a_newer_kernel_adds_is_passed_over() -> None:
    histogram = attribute(5 | NESTED, attribute(8, bytes(4)))
    assert dict(decoded(group(RMON, stat(1, 2), stat(40, 5), histogram))) == {"rmon-etherStatsOversizePkts": 2}
    assert list(decoded(group(NEWER, stat(0, 1)))) == []


def test_a_message_that_is_cut_off_is_no_endless_loop() -> None:
    assert list(decoded(b"\0\0\0\0\0")) == []


def test_an_unknown_driver_that_has_them_tells_what_came_by_wire() -> None:
    data, dummy = read(PROFILES / "generic.yml")
    table = parse(data["counters"], Place("generic.yml"))
    link = {"rx_crc_errors": 0, "rx_bytes": 1, "rx_length_errors": 0}
    groups = {"eth-mac-FramesReceivedOK": 7, "eth-mac-FrameCheckSequenceErrors": 2}
    found = unify(table, RawStats(link=link, groups=groups), (6, 12))
    assert (found.value(Counter.WIRE_PACKETS), found.value(Counter.ERROR_CRC)) == (7, 2)
    assert found.value(Counter.WIRE_BYTES) == 1  # absent in the group is not zero: the next source is asked
    assert unify(table, RawStats(link=link), (6, 12)).value(Counter.WIRE_PACKETS) is None
