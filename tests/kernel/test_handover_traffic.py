# SPDX-License-Identifier: GPL-3.0-or-later
"""A million flows through one change of layout after the other, under traffic that counts in them: all is there."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.probes import requires, requires_bpf
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .handover_cases import HASH, LRU, MEMBERS, Flow, Traffic, attach, fill, flows, load, opened, publish, read, reader
from .handover_cases import reload, traffic, wait_until
from .netns import Veth

pytestmark = [requires_bpf, requires("clang")]

FLOWS = 1_000_000
SIZE = 1 << 20
KNOWN, FRESH = 20_000, 5_000
"""Sources in the traffic: flows that were there before, and new ones."""
FIRST = FLOWS - KNOWN
PROGRESS = 2_000
LAYOUTS = {
    "the same": MEMBERS,
    "reordered": "__u64 first_seen; __u64 packets; __u64 bytes;",
    "added": "__u64 first_seen; __u32 flags; __u64 packets; __u64 bytes; __u16 mark;",
    "narrow": "__u64 first_seen; __u32 flags; __u32 hits; __u64 packets; __u64 bytes;",
    "widened": "__u64 first_seen; __u64 hits; __u64 packets; __u64 flags; __u64 bytes;",
    "removed": "__u64 bytes; __u64 first_seen; __u64 packets;",
}


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("sender") / "sender"
    source = Path(__file__).with_name("sender.c")
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(built), str(source)], check=True)
    return built


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


def settled(source: PipelineSource, expected: int) -> "Dict[int, Flow]":
    """What the kernel took may still be in a ring of the veth for a moment."""
    found: "List[Dict[int, Flow]]" = []

    def all_there() -> bool:
        found[:] = [read(source)]
        return sum(flow.packets for flow in found[0].values()) >= expected or len(found) > 5

    wait_until(all_there)
    return found[0]


@pytest.mark.parametrize("kind", [LRU, HASH])
def test_nothing_is_lost_in_any_change_of_layout(
    veth: Veth, places: Places, sender: Path, kind: str, record_property: Any
) -> None:
    veth.wire.command("sysctl", "-qw", f"net.ipv6.conf.{veth.wire_ifname}.disable_ipv6=1")
    sources = generations(kind)
    before = {key: Flow(key % 7, key % 1000, 1000 + key) for key in range(FLOWS)}

    def on_node() -> "tuple[int, Dict[int, Flow]]":
        reload(sources[0])
        fill(sources[0], before)
        attach(veth.ifname)
        with traffic(veth, sender, FIRST, KNOWN + FRESH) as running:
            for source in sources[1:]:
                progress(sources[sources.index(source) - 1])
                reload(source)
            progress(sources[-1])
            taken = Traffic.stop(running)
        expected = taken + sum(flow.packets for flow in before.values())
        return taken, settled(sources[-1], expected)

    taken, after = veth.node.run(on_node, timeout=300.0)
    counted = sum(flow.packets for flow in after.values()) - sum(flow.packets for flow in before.values())
    record_property("told", f"{kind}: {len(sources) - 1} reloads, sent {taken}, counted {counted}")
    assert counted == taken
    assert sum(flow.bytes for flow in after.values()) == 60 * taken + sum(flow.bytes for flow in before.values())
    assert [key for key, flow in before.items() if after[key].first_seen != flow.first_seen] == []
    assert len(after) == FLOWS + FRESH
