# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdict counters follow their names: another order, or more of them, neither refuses a reload nor loses a count."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Dict, Sequence, Tuple

import pytest

from tests.pipelines import small
from tests.probes import requires, requires_bpf
from wirespeed.errors import Refused
from wirespeed.pipeline import instance
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .handover_cases import attach, publish, reload, run_frame, traffic, wait_until
from .netns import Veth
from .pipelines_here import Node

pytestmark = [requires_bpf, requires("clang")]

PROGRAM = """
enum { %(numbers)s, VERDICTS };
WS_VERDICTS(VERDICTS);
SEC("xdp") int small(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 34 > end || *(__u16 *)(data + 12) != 0x0008)
		return XDP_PASS;
	return ws_verdict(ctx, *(__u8 *)(data + 29) & 1 ? ODD : EVEN, XDP_DROP);
}
char _license[] SEC("license") = "GPL";
"""
EVEN, ODD = 2, 3
FRAME = 60


def pipeline(*names: str, **spec: str) -> PipelineSource:
    verdicts = [{"name": name, "action": "drop"} for name in names]
    code = PROGRAM % {"numbers": ", ".join(name.upper() for name in names)}
    return small(code, verdicts=verdicts, maps={"verdicts": {"role": "stats", **spec}})


def counted(source: PipelineSource) -> Dict[str, int]:
    names = [verdict.name for verdict in source.manifest.verdicts]
    counts = dict(zip(names, Node().verdicts(source)))
    assert all(size == FRAME * packets for packets, size in counts.values()), counts
    return {name: packets for name, (packets, dummy) in counts.items()}


ORDERS: Sequence[Tuple[str, ...]] = (
    ("even", "odd"),
    ("odd", "even"),
    ("new", "odd", "even", "newer"),
    ("even", "newest", "odd"),
)


def test_each_count_stays_under_its_name_under_traffic(veth: Veth, places: Places, sender: Path) -> None:
    veth.wire.command("sysctl", "-qw", f"net.ipv6.conf.{veth.wire_ifname}.disable_ipv6=1")
    sources = [pipeline(*names) for names in ORDERS]

    def on_node() -> "Tuple[int, Dict[str, int]]":
        reload(sources[0])
        run_frame(ODD, 5)
        attach(veth.ifname)
        with traffic(veth, sender, EVEN, 1) as running:
            for old, new in pairwise(sources):
                seen = counted(old)["even"]
                assert wait_until(lambda old=old, seen=seen: counted(old)["even"] >= seen + 1000)
                reload(new)
            taken = running.stop()
        wait_until(lambda: counted(sources[-1])["even"] >= taken)
        return taken, counted(sources[-1])

    taken, found = veth.node.run(on_node)
    assert found == {"even": taken, "newest": 0, "odd": 5}


def test_a_verdict_that_is_gone_is_dropped_and_told(places: Places) -> None:
    reload(pipeline("even", "odd", "old"))
    (hand,) = instance.handed_over(Node().paths, pipeline("odd", "even"))
    assert hand.lost == "The counts of verdicts that are gone are dropped: old."


def test_the_same_names_share_one_map(places: Places) -> None:
    first, second = pipeline("even", "odd"), pipeline("even", "odd", on_layout_change="refuse")
    reload(first)
    reload(second)
    ids = []
    for source in (first, second):
        with instance.open_map(Node().paths, "small", source.generation, "verdicts") as found:
            ids.append(found.info.id)
    assert ids[0] == ids[1]


def test_a_manifest_can_still_refuse_another_order(places: Places) -> None:
    reload(pipeline("even", "odd"))
    with pytest.raises(Refused, match="the verdicts have other names or places"):
        reload(pipeline("odd", "even", on_layout_change="refuse"))


def test_counts_come_along_when_a_rollback_reorders_them_again(places: Places) -> None:
    first, second = pipeline("even", "odd"), pipeline("odd", "even")
    reload(first)
    run_frame(EVEN, 3)
    reload(second)
    run_frame(ODD, 4)
    publish(first)
    assert counted(first) == {"even": 3, "odd": 4}
