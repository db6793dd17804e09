# SPDX-License-Identifier: GPL-3.0-or-later
"""The health gate on real programs under traffic: a new version that misbehaves is caught, one that behaves passes."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple

import pytest

from tests.pipelines import small
from tests.probes import requires, requires_bpf
from tests.unit import counter_cases
from wirespeed.counters.gate import GateFailed
from wirespeed.counters.gate_window import Gate
from wirespeed.counters.verify import subject
from wirespeed.nic.discover import discover
from wirespeed.pipeline import instance
from wirespeed.pipeline.checks import Bound, Health
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .frames import frame_v4, send
from .netns import Veth
from .pipelines_here import Node, attach_step, publish_step

pytestmark = [requires_bpf, requires("clang")]

BURST = [frame_v4("198.51.100.9")] * 100
STEADY = Health(window=0.5, min_packets=100, max_change=0.1)

CODE = """
WS_PIPELINE("small", "%s");
WS_VERDICTS(%d);
SEC("xdp") int small(struct xdp_md *ctx)
{
	%s;
}
char LICENSE[] SEC("license") = "GPL";
"""
PASSES, DROPS = "return ws_verdict(ctx, 0, XDP_PASS)", "return ws_verdict(ctx, 1, XDP_DROP)"
UNCOUNTED = "return XDP_PASS"


def version(number: str, body: str, names: Sequence[str] = ("pass", "denied")) -> PipelineSource:
    actions = {"pass": "pass"}
    return small(
        CODE % (number, len(names), body),
        version=number,
        maps={"verdicts": {"role": "stats", "on_layout_change": "reset"}},
        verdicts=[{"name": name, "action": actions.get(name, "drop")} for name in names],
    )


@contextmanager
def steady(veth: Veth) -> Iterator[None]:
    """Frames all the time, the first of them on their way."""
    enough, begun = threading.Event(), threading.Event()

    def send_on() -> None:
        while not enough.is_set():
            veth.wire.run(send, veth.wire_ifname, BURST)
            begun.set()

    sender = threading.Thread(target=send_on)
    sender.start()
    try:
        assert begun.wait(30)
        yield
    finally:
        enough.set()
        sender.join()


@contextmanager
def silent(veth: Veth) -> Iterator[None]:
    yield


def gated(
    veth: Veth,
    new: Optional[PipelineSource],
    health: Health = STEADY,
    traffic: Callable[[Veth], Any] = steady,
    nics: bool = True,
) -> Tuple[str, ...]:
    """Replaces a pipeline that passes all by ``new``, or by nothing, and asks the gate."""
    for netns, name in ((veth.node, veth.ifname), (veth.wire, veth.wire_ifname)):
        netns.command("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")

    def on_node() -> Tuple[str, ...]:
        old = version("1", PASSES)
        node = Node(old)
        node.run(old)
        node.do(attach_step(veth.ifname, "small"))
        subjects = [subject(nic, counter_cases.counters("veth")) for nic in discover([veth.ifname]).values()]
        gate = Gate(node.paths, "small", health, subjects if nics else ())
        with traffic(veth):
            gate.before()
            if new is None:
                node.do(publish_step("small", old.generation, None))
            else:
                Node(new).run(new)
                assert instance.published(node.paths, "small") == new.generation
            return gate.after()

    return tuple(veth.node.run(on_node))


def failing(veth: Veth, new: Optional[PipelineSource], health: Health = STEADY, nics: bool = True) -> GateFailed:
    with pytest.raises(GateFailed) as failed:
        gated(veth, new, health, nics=nics)
    return failed.value


def test_a_version_that_drops_what_it_should_pass_is_caught(veth: Veth, places: Places) -> None:
    found = failing(veth, version("2", DROPS))
    assert [complaint.split(" of ")[0] for complaint in found.complaints] == [
        "verdict pass went from 100 %",
        "verdict denied went from 0 %",
    ]
    assert found.after.verdicts["pass"] == 0 and found.after.verdicts["denied"] >= STEADY.min_packets


def test_a_version_that_behaves_passes_with_nothing_to_tell(veth: Veth, places: Places) -> None:
    assert gated(veth, version("2", PASSES)) == ()


def test_without_nics_the_verdicts_alone_are_judged(veth: Veth, places: Places) -> None:
    assert failing(veth, version("2", DROPS), nics=False).after.nics == {}


def test_a_share_beyond_recovery_ends_the_window(veth: Veth, places: Places) -> None:
    bounds = Health(window=5.0, min_packets=100, verdicts={"denied": Bound(max_share=0.001)})
    found = failing(veth, version("2", DROPS), bounds)
    assert found.after.ended_early
    assert [complaint.split()[2:5] for complaint in found.complaints] == [["is", "100", "%"]]


def test_too_little_traffic_passes_with_a_warning(veth: Veth, places: Places) -> None:
    (warning,) = gated(veth, version("2", DROPS), Health(window=0.5, min_packets=10**9, max_change=0.0))
    assert "fewer than 1,000,000,000 tell nothing" in warning


def test_no_traffic_passes_with_a_warning(veth: Veth, places: Places) -> None:
    said = gated(veth, version("2", DROPS), traffic=silent)
    assert said == ("No packet was judged in the window before the publish, so there was nothing to compare with.",)


def test_frames_that_a_version_does_not_count_are_missed(veth: Veth, places: Places) -> None:
    found = failing(veth, version("2", UNCOUNTED))
    assert found.complaints[0].startswith("0 packets were judged, ")
    assert any("ws0: every-run-judged" in complaint for complaint in found.complaints[1:])


def test_an_emptied_slot_is_caught_at_once(veth: Veth, places: Places) -> None:
    found = failing(veth, None, Health(window=5.0))
    assert found.after.ended_early and found.after.unseen > 0
    assert [complaint.split()[1:3] for complaint in found.complaints[:2]] == [
        ["generation", "is"],
        ["packets", "met"],
    ]


def test_verdicts_are_compared_by_name_where_the_list_has_changed(veth: Veth, places: Places) -> None:
    """Three verdicts in another order: a new map, whose number 1 is what number 0 was."""
    names: List[str] = ["denied", "pass", "challenged"]
    assert gated(veth, version("2", "return ws_verdict(ctx, 1, XDP_PASS)", names)) == ()


def test_a_verdict_that_is_new_had_no_share_before(veth: Veth, places: Places) -> None:
    names: List[str] = ["pass", "denied", "challenged"]
    found = failing(veth, version("2", "return ws_verdict(ctx, 2, XDP_DROP)", names))
    assert any(each.startswith("verdict challenged went from 0 %") for each in found.complaints)
