# SPDX-License-Identifier: GPL-3.0-or-later
"""A million flows through one change of layout after the other, under traffic that counts in them: all is there."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from tests.probes import requires, requires_bpf
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .handover_cases import HASH, LRU, MEMBERS, attach, flows, offsets, opened, reader, reload, traffic, wait_until
from .netns import Veth

pytestmark = [requires_bpf, requires("clang")]

FLOWS = 1_000_000
SIZE = 1 << 20
KNOWN, FRESH = 20_000, 5_000
"""Sources in the traffic: flows that were there before, and new ones."""
FIRST = FLOWS - KNOWN
BEFORE = sum(key % 7 for key in range(FLOWS))
"""Packets of the flows that are there before the traffic."""
LAYOUTS = {
    "the same": MEMBERS,
    "reordered": "__u64 first_seen; __u64 packets; __u64 bytes;",
    "added": "__u64 first_seen; __u32 flags; __u64 packets; __u64 bytes; __u16 mark;",
    "narrow": "__u64 first_seen; __u32 flags; __u32 hits; __u64 packets; __u64 bytes;",
    "widened": "__u64 first_seen; __u64 hits; __u64 packets; __u64 flags; __u64 bytes;",
    "removed": "__u64 bytes; __u64 first_seen; __u64 packets;",
}


def generations(kind: str) -> "List[PipelineSource]":
    made = [flows(members, kind, SIZE, version=name) for name, members in LAYOUTS.items()]
    return [*made, flows(LAYOUTS["removed"], kind, 2 * SIZE, version="doubled")]


def progress(source: PipelineSource) -> None:
    """Waits until the traffic has been counted in a flow that was there before, and in a new one."""
    decode = reader(source)

    def seen(key: int) -> int:
        with opened(source) as found:
            value = found.lookup(key.to_bytes(4, "little"))
        return decode(value).packets if value else 0

    keys = (FIRST, FLOWS + FRESH - 1)
    before = [seen(key) for key in keys]
    assert wait_until(lambda: all(seen(key) >= was + 2 for key, was in zip(keys, before)))


@dataclass(frozen=True)
class Sums:
    """Of all flows; ``reset`` are those whose first_seen is not what it was before the first reload."""

    flows: int
    packets: int
    bytes: int
    reset: int


def sums(source: PipelineSource) -> Sums:
    number, places = struct.Struct("<Q").unpack_from, offsets(source)
    flows, packets, total, reset = 0, 0, 0, 0
    with opened(source) as found:
        for key, value in found.items():
            each = int.from_bytes(key, "little")
            flows += 1
            packets += number(value, places["packets"])[0]
            total += number(value, places["bytes"])[0]
            reset += number(value, places["first_seen"])[0] != (1000 + each if each < FLOWS else 1)
    return Sums(flows, packets, total, reset)


def settled(source: PipelineSource, expected: int) -> Sums:
    """What the kernel took may still be in a ring of the veth for a moment."""
    found: "List[Sums]" = []
    wait_until(lambda: found.append(sums(source)) or found[-1].packets >= expected or len(found) > 5)
    return found[-1]


@pytest.mark.parametrize("kind", [LRU, HASH])
def test_nothing_is_lost_in_any_change_of_layout(
    veth: Veth, places: Places, sender: Path, kind: str, record_property: Any
) -> None:
    veth.wire.command("sysctl", "-qw", f"net.ipv6.conf.{veth.wire_ifname}.disable_ipv6=1")
    sources = generations(kind)

    def on_node() -> "Tuple[int, Sums]":
        reload(sources[0])
        value = struct.Struct("<QQQ").pack
        with opened(sources[0]) as found:
            found.update_many([(key.to_bytes(4, "little"), value(key % 7, 60, 1000 + key)) for key in range(FLOWS)])
        attach(veth.ifname)
        with traffic(veth, sender, FIRST, KNOWN + FRESH) as running:
            for old, new in pairwise(sources):
                progress(old)
                reload(new)
            progress(sources[-1])
            taken = running.stop()
        return taken, settled(sources[-1], taken + BEFORE)

    taken, after = veth.node.run(on_node, timeout=300.0)
    record_property("told", f"{kind}: {len(sources) - 1} reloads, sent {taken}, counted {after.packets - BEFORE}")
    assert after == Sums(FLOWS + FRESH, BEFORE + taken, 60 * (FLOWS + taken), 0)
