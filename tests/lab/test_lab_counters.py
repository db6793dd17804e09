# SPDX-License-Identifier: GPL-3.0-or-later
"""Unified counters on real drivers and kernels: what is sent is what is counted, class by class, bare and under XDP."""

from __future__ import annotations

from typing import Any, Dict, Iterator

import pytest

from tests.depth import kernels

from . import Image, Node, frames
from .agent import Agent
from .conftest import _factory

NICS = ("igb", "virtio:queues=4:rss=on", "vmxnet3", "e1000e")
DENIED, CLEAN, SOURCES = 300, 500, 32
SENT = DENIED + CLEAN
XDP = {"xdp_packets", "xdp_drop", "xdp_pass", "xdp_tx", "xdp_redirect", "xdp_aborted"}
NOT_TOLD = {
    "igb": XDP | {"delivered"},
    "virtio_net": {"wire_packets", "wire_bytes", "nic_drop", "error_crc", "xdp_aborted"},
    "vmxnet3": {"nic_drop", "error_length"},
    "e1000e": XDP | {"host_drop", "driver_packets", "delivered"},
}
HOLDING = {
    "igb": {"every-frame-judged", "wire-explained", "nothing-lost-silently", "sent-accounted"},
    "virtio_net": {
        "every-run-judged",
        "every-frame-judged",
        "every-frame-ran",
        "drops-and-aborts-agree",
        "passes-agree",
        "passes-delivered",
        "sent-accounted",
    },
    "vmxnet3": {
        "every-run-judged",
        "every-frame-judged",
        "every-frame-ran",
        "drops-agree",
        "passes-agree",
        "passes-delivered",
        "wire-explained",
        "nothing-lost-silently",
        "sent-accounted",
    },
    "e1000e": {"nothing-lost-silently", "sent-accounted"},
}
GENERIC_VMXNET3 = {"every-frame-judged", "wire-explained", "nothing-lost-silently", "sent-accounted"}
UP = "sysctl -qw net.ipv6.conf.all.disable_ipv6=1; for i in 1 2 3 4; do ip link set enp${i}s0 up; done"


class Machine:
    """A node with the engine on it, and its agent under command."""

    def __init__(self, node: Node, label: str) -> None:
        self.node, self.label = node, label
        node.ssh(UP)
        self._agent = Agent(node, "counters_agent.py")
        self.ask, self.close = self._agent.ask, self._agent.close

    def window(self, index: int) -> Dict[str, Any]:
        """The report on a window in which DENIED and CLEAN frames of SOURCES addresses each came in."""
        self.ask("begin", self.node.nics[index].interface)
        with self.node.wire(index) as wire:
            denied = [frames.udp(wire.mac, n, source=f"192.0.2.{1 + n % SOURCES}") for n in range(DENIED)]
            clean = [frames.udp(wire.mac, n, source=f"198.51.100.{1 + n % SOURCES}") for n in range(CLEAN)]
            sent = wire.send(denied + clean)
        return self.ask("end", sent, 2 * SOURCES)


@pytest.fixture(scope="module", params=kernels("WIRESPEED_COUNTERS_KERNELS", "newest"))
def machine(request: pytest.FixtureRequest, lab_image: Image) -> Iterator[Machine]:
    """One node at a time: the next kernel's starts when the last one is gone."""
    for make in _factory(lab_image):
        found = Machine(make(request.param, *NICS), request.param)
        yield found
        found.close()


def told(report: Dict[str, Any]) -> Dict[str, int]:
    counters = report["nics"][0]["counters"]
    return {name: counter["value"] for name, counter in counters.items() if counter["value"] is not None}


def holding(report: Dict[str, Any]) -> "set[str]":
    return {check["name"] for check in report["nics"][0]["checks"] if check["status"] == "holds"}


def broken(report: Dict[str, Any]) -> "list[str]":
    return [check["name"] for check in report["nics"][0]["checks"] if check["status"] == "broken"]


NIC = pytest.mark.parametrize("index", range(len(NICS)), ids=[nic.split(":")[0] for nic in NICS])


@NIC
def test_without_a_program_each_frame_is_counted_once(machine: Machine, index: int) -> None:
    report = machine.window(index)
    found = told(report)
    at_all = {name: found[name] for name in ("wire_packets", "driver_packets", "delivered") if name in found}
    lost = {name: found[name] for name in ("nic_drop", "host_drop", "error") if name in found}
    assert (set(at_all.values()), set(lost.values()), broken(report)) == ({SENT}, {0}, [])


@NIC
def test_under_xdp_each_frame_has_one_verdict(machine: Machine, index: int) -> None:
    name = machine.node.nics[index].interface
    mode = machine.ask("attach", name)["mode"]
    try:
        report = machine.window(index)
    finally:
        machine.ask("detach", name)
    driver = report["nics"][0]["driver"]
    old = driver == "vmxnet3" and machine.label == "6.1"
    found = told(report)
    absent = set(report["nics"][0]["counters"]) - set(found)
    assert mode == ("generic" if driver == "e1000e" or old else "native")
    assert absent == NOT_TOLD[driver] | (XDP if old else set())
    verdicts = report["pipeline"]["verdicts"]["by_action"]
    assert (verdicts["drop"], verdicts["pass"], verdicts["total"]) == (DENIED, CLEAN, SENT)
    assert (holding(report), broken(report)) == (GENERIC_VMXNET3 if old else HOLDING[driver], [])
    assert found.get("xdp_drop", DENIED) == DENIED
    assert found.get("xdp_pass", CLEAN) == CLEAN


def test_a_table_that_virtio_reads_back_but_does_not_use_is_found(machine: Machine) -> None:
    """An attach adds queues and turns RSS off in the device. On 6.1 the table still names the first two queues alone;
    later kernels spread it over all of them again, and then frames land where it says."""
    name = machine.node.nics[1].interface
    machine.ask("attach", name)
    try:
        report = machine.window(1)
    finally:
        machine.ask("detach", name)
    found = any("the device does not use the table that reads back" in finding for finding in report["findings"])
    assert found == (machine.label == "6.1")
