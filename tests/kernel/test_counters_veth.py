# SPDX-License-Identifier: GPL-3.0-or-later
"""Unified counters and verdicts on a veth pair with the real pipeline: exact, and a finding when something is wrong."""

from __future__ import annotations

import platform
import threading
from typing import Any, Callable, Dict, List, Tuple

import pytest

from tests.pipelines import next_scrubber, scrubber
from tests.probes import requires, requires_bpf
from tests.unit import counter_cases
from wirespeed.counters.judge import Status
from wirespeed.counters.report import CounterReport
from wirespeed.counters.totals import to_json
from wirespeed.counters.verify import Subject, Watch, read_now, subject, verify_window
from wirespeed.model.nic import XdpMode
from wirespeed.nic.discover import discover
from wirespeed.pipeline.pins import Paths

from . import helpers_xdp
from .conftest import Places
from .frames import frame_v4, send
from .netns import Veth
from .pipelines_here import Node, attach_step, publish_step

pytestmark = [requires_bpf, requires("clang")]

DENIED, CLEAN = frame_v4("192.0.2.9"), frame_v4("198.51.100.9")
KERNEL = tuple(int(part) for part in platform.release().split(".")[:2])


def silenced(veth: Veth) -> Veth:
    """No IPv6 on either end: neighbour discovery would send frames of its own."""
    for netns, name in ((veth.node, veth.ifname), (veth.wire, veth.wire_ifname)):
        netns.command("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
    return veth


def running(veth: Veth, mode: XdpMode = XdpMode.NATIVE) -> Node:
    node = Node(scrubber())
    node.run(scrubber(), ("192.0.2.0/24",))
    node.do(attach_step(veth.ifname, "scrubber", mode))
    return node


def watched(*names: str) -> List[Subject]:
    return [subject(nic, counter_cases.counters("veth")) for nic in discover(names).values()]


def begin(*names: str) -> Watch:
    return Watch.begin(watched(*names), KERNEL, Paths.from_environment(), "scrubber")  # type: ignore[arg-type]


def traffic(veth: Veth, denied: int, clean: int) -> int:
    return veth.wire.run(send, veth.wire_ifname, [DENIED] * denied + [CLEAN] * clean)


def values(report: CounterReport) -> Dict[str, Tuple[Any, Any]]:
    return {counter.value: (span.low, span.high) for counter, span in report.nics[0].window.spans.items()}


def statuses(report: CounterReport, wanted: Status) -> List[str]:
    return [check.invariant.name for check in report.checks if check.status is wanted]


def test_every_frame_is_counted_exactly_once(veth: Veth, places: Places) -> None:
    def on_node() -> CounterReport:
        running(silenced(veth))
        watch = begin(veth.ifname)
        return watch.end(sent=traffic(veth, 137, 211), flows=2)

    report = veth.node.run(on_node)
    found = values(report)
    assert report.findings == ()
    assert {name: found[name] for name in ("driver_packets", "xdp_packets", "xdp_drop", "xdp_pass", "delivered")} == {
        "driver_packets": (348, 348),
        "xdp_packets": (348, 348),
        "xdp_drop": (137, 137),
        "xdp_pass": (211, 211),
        "delivered": (211, 211),
    }
    assert {name: count.packets for name, count in report.pipeline.verdicts.counts.items() if count.packets} == {
        "pass": 211,
        "deny_prefix_v4": 137,
    }


def test_every_invariant_that_a_veth_can_tell_holds(veth: Veth, places: Places) -> None:
    def on_node() -> CounterReport:
        running(silenced(veth))
        watch = begin(veth.ifname)
        return watch.end(sent=traffic(veth, 20, 30))

    assert statuses(veth.node.run(on_node), Status.HOLDS) == [
        "every-run-judged",
        "every-frame-judged",
        "every-frame-ran",
        "drops-and-aborts-agree",
        "passes-agree",
        "passes-delivered",
        "sent-accounted",
    ]


def test_what_a_veth_does_not_count_is_absent_not_zero(veth: Veth, places: Places) -> None:
    def on_node() -> Dict[str, Any]:
        who = watched(veth.ifname)[0]
        return to_json(veth.ifname, who.nic.driver, read_now(who, KERNEL))["counters"]  # type: ignore[arg-type]

    found = veth.node.run(on_node)
    silent = {name for name, reading in found.items() if reading["value"] is None}
    assert silent == {"wire_packets", "wire_bytes", "nic_drop", "error", "error_crc", "error_length", "xdp_aborted"}
    assert all(found[name]["why"] for name in silent)


def test_under_generic_xdp_each_frame_still_has_its_verdict(veth: Veth, places: Places) -> None:
    def on_node() -> CounterReport:
        running(silenced(veth), XdpMode.GENERIC)
        watch = begin(veth.ifname)
        return watch.end(sent=traffic(veth, 20, 30))

    report = veth.node.run(on_node)
    assert (report.findings, statuses(report, Status.HOLDS)) == ((), ["every-frame-judged", "sent-accounted"])


def test_a_foreign_program_on_the_hook_is_found_and_its_frames_have_no_verdict(veth: Veth, places: Places) -> None:
    def on_node() -> CounterReport:
        node = running(silenced(veth))
        node.do(attach_step(veth.ifname, "scrubber").inverted())
        program = helpers_xdp.load("somebody")
        index = discover([veth.ifname])[veth.ifname].ifindex
        helpers_xdp.link(program, index, helpers_xdp.NATIVE)
        watch = begin(veth.ifname)
        return watch.end(sent=traffic(veth, 20, 30))

    report = veth.node.run(on_node)
    assert "somebody" in report.findings[0] and "not by the pipeline's root" in report.findings[0]
    assert statuses(report, Status.BROKEN) == [
        "every-run-judged",
        "every-frame-judged",
        "passes-agree",
        "passes-delivered",
        "sent-accounted",
    ]


def test_a_pipeline_on_no_hook_is_found(veth: Veth, places: Places) -> None:
    def on_node() -> CounterReport:
        node = running(silenced(veth))
        node.do(attach_step(veth.ifname, "scrubber").inverted())
        watch = begin(veth.ifname)
        return watch.end(sent=traffic(veth, 5, 5))

    assert "no XDP program is attached" in veth.node.run(on_node).findings[0]


def test_frames_that_met_an_empty_slot_are_found(veth: Veth, places: Places) -> None:
    def on_node() -> CounterReport:
        node = running(silenced(veth))
        generation = scrubber().generation
        watch = begin(veth.ifname)
        node.do(publish_step("scrubber", generation, None))
        sent = traffic(veth, 3, 4)
        node.do(publish_step("scrubber", None, generation))
        return watch.end(sent=sent + traffic(veth, 5, 6))

    report = veth.node.run(on_node)
    assert "7 frames met an empty slot of the root" in report.findings[-1]
    assert "every-run-judged" in statuses(report, Status.BROKEN)


def test_a_reload_in_the_window_loses_no_count(veth: Veth, places: Places) -> None:
    def on_node() -> CounterReport:
        running(silenced(veth))
        watch = begin(veth.ifname)
        sent = traffic(veth, 10, 20)
        Node(next_scrubber()).run(next_scrubber(), ("192.0.2.0/24",))
        return watch.end(sent=sent + traffic(veth, 1, 2))

    report = veth.node.run(on_node)
    assert (report.findings, report.pipeline.verdicts.total) == ((), 33)


def test_an_attachment_that_changed_makes_the_window_invalid(veth: Veth, places: Places) -> None:
    def on_node() -> CounterReport:
        node = running(silenced(veth))
        watch = begin(veth.ifname)
        node.do(attach_step(veth.ifname, "scrubber").inverted())
        node.do(attach_step(veth.ifname, "scrubber", XdpMode.GENERIC))
        return watch.end(sent=traffic(veth, 5, 5))

    report = veth.node.run(on_node)
    assert "the window is invalid: the XDP program changed from 'native program" in report.findings[0]
    assert {check.status for check in report.checks} == {Status.NOT_APPLICABLE}


def test_a_nic_that_shares_its_pipeline_is_not_judged_alone(namespaces: Any, places: Places) -> None:
    report = shared(namespaces, lambda first: [first])
    assert "it also runs on ws1, which are not watched" in report.findings[0]
    assert statuses(report, Status.BROKEN) == []


def test_nics_that_share_a_pipeline_are_judged_by_their_sum(namespaces: Any, places: Places) -> None:
    report = shared(namespaces, lambda first: [first, "ws1"])
    judged = [check for check in report.pipeline.checks if check.status is Status.HOLDS]
    assert report.findings == ()
    assert ("every-run-judged", (12, 12)) in [(check.invariant.name, check.left) for check in judged]


def shared(namespaces: Any, names: Callable[[str], List[str]]) -> CounterReport:
    """Five frames to one NIC of the pipeline, seven to another; the report on those of ``names``."""
    first = silenced(namespaces.veth())
    wire = namespaces.netns()
    first.node.ip("link", "add", "ws1", "type", "veth", "peer", "name", "wire1", "netns", wire.name)
    first.node.ip("link", "set", "ws1", "up")
    wire.ip("link", "set", "wire1", "up")
    second = silenced(Veth(first.node, "ws1", "", wire, "wire1", ""))

    def on_node() -> CounterReport:
        running(first).do(attach_step("ws1", "scrubber"))
        watch = begin(*names(first.ifname))
        return watch.end(sent=traffic(first, 2, 3) + traffic(second, 4, 3))

    return first.node.run(on_node)


@pytest.mark.parametrize("mode", [XdpMode.NATIVE, XdpMode.GENERIC])
def test_a_window_under_steady_traffic_ends_when_enough_frames_were_seen(
    veth: Veth, places: Places, mode: XdpMode
) -> None:
    def on_node() -> CounterReport:
        running(silenced(veth), mode)
        enough = threading.Event()

        def send_until_enough() -> None:
            while not enough.is_set():
                traffic(veth, 10, 10)

        sender = threading.Thread(target=send_until_enough)
        sender.start()
        try:
            who = watched(veth.ifname)
            return verify_window(who, KERNEL, Paths.from_environment(), "scrubber", seconds=60, packets=100)  # type: ignore[arg-type]
        finally:
            enough.set()
            sender.join()

    report = veth.node.run(on_node)
    assert report.findings == ()
    assert report.pipeline.verdicts.total >= 100
    assert statuses(report, Status.BROKEN) == []


def test_the_report_is_plain_data_and_text(veth: Veth, places: Places) -> None:
    def on_node() -> Tuple[Dict[str, Any], List[str]]:
        running(silenced(veth))
        watch = begin(veth.ifname)
        report = watch.end(sent=traffic(veth, 1, 2))
        return report.to_json(), report.lines()

    data, text = veth.node.run(on_node)
    told = data["nics"][0]["counters"]["xdp_drop"]
    assert (told["value"], told["scope"], told["includes_xdp_drop"]) == (1, "queue-sum", True)
    assert data["nics"][0]["counters"]["wire_packets"]["value"] is None
    assert any(line.split()[:3] == ["every-run-judged", "holds", "3"] for line in text)
