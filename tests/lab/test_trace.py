# SPDX-License-Identifier: GPL-3.0-or-later
"""A trace by fexit, on kernels that have BPF trampolines: what tshark shows of a packet that a countermeasure drops."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from tests.depth import deep, kernels
from tests.kernel.traced_here import shown
from tests.pipelines import bundle_of, compiled, scrubber, support
from tests.probes import requires
from wirespeed.errors import Place
from wirespeed.gather import built_in_tracers
from wirespeed.kernel import pcap
from wirespeed.pipeline.packet import frame

from . import Image, Node
from .agent import Agent
from .conftest import _factory

pytestmark = [requires("clang", "tshark", "libpcap")]

TABLES = {
    "customers_v4": [{"prefix": "203.0.113.0/24", "customer": 601, "policy": 1121}],
    "policies": [{"policy": 1121, "countermeasures": ["connections"]}],
}
SLIDE = {"ipv4": {"destination": "203.0.113.7"}, "tcp": {"destination": 443, "flags": ["ack"]}, "length": 535}
OTHER = {"ipv4": {"destination": "9.9.9.9"}, "udp": {"destination": 53}, "length": 60}
COMMENT = "cus: 601, pol: 1121, mitigation: cm_cs, verdict: [DROP]"
FIELDS = ("frame.comment", "frame.interface_name", "frame.len", "frame.packet_flags", "frame.verdict.ebpf_xdp")
FILTER = "vlan and tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420 or ip6 or (udp and len > 100)"


class Machine:
    """A node whose NIC carries the scrubber."""

    def __init__(self, node: Node) -> None:
        self.node, self._agent = node, Agent(node, "trace_agent.py")
        self.nic = node.nics[0].interface
        node.ssh(f"sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip link set {self.nic} up")
        support()
        tracers = built_in_tracers().items()
        self._tracers = {name: base64.b64encode(code).decode() for name, code in tracers}
        self.converge()

    def converge(self, **pipeline: Any) -> None:
        nic = {"name": self.nic, "pipeline": "scrubber"}
        intent = {"nics": [nic], "pipelines": [{"name": "scrubber", "tables": TABLES, **pipeline}]}
        self.ask(do="converge", intent=intent, bundle=bundle_of(scrubber()))

    def ask(self, **fields: Any) -> Dict[str, Any]:
        told = self._agent.request(**fields)
        assert "error" not in told, told
        return told

    def load(self, expression: str) -> Dict[str, Any]:
        rows = pcap.compiled(expression, Place("test"))
        return self.ask(do="load", tracers=self._tracers, rows=rows)

    def begin(self, nic: str = "", **options: Any) -> None:
        self.ask(do="begin", tracers=self._tracers, options={"nic": nic or self.nic, **options})

    def send(self, *packets: Dict[str, Any]) -> int:
        with self.node.wire(0) as wire:
            to = {"ethernet": {"destination": wire.mac}}
            return wire.send([frame({**to, **packet}, "packet") for packet in packets])

    def end(self, file: Path, packets: int) -> Dict[str, Any]:
        told = self.ask(do="end", packets=packets)
        assert told["left"] == []
        file.write_bytes(base64.b64decode(told["file"]))
        result: Dict[str, Any] = told["result"]
        return result

    def traced(self, file: Path, packets: List[Dict[str, Any]], **options: Any) -> Dict[str, Any]:
        self.begin(**options)
        return self.end(file, self.send(*packets))

    def close(self) -> None:
        self._agent.close()


@pytest.fixture(scope="module", params=kernels("WIRESPEED_TRACE_KERNELS", "6.1"))
def machine(request: pytest.FixtureRequest, lab_image: Image) -> Iterator[Machine]:
    """One node at a time: the next kernel's starts when the last one is gone."""
    for make in _factory(lab_image):
        found = Machine(make(request.param, "virtio:queues=4:rss=on"))
        yield found
        found.close()


def test_a_packet_that_a_countermeasure_drops_is_shown_by_fexit(machine: Machine, tmp_path: Path) -> None:
    result = machine.traced(tmp_path / "t.pcapng", [SLIDE, OTHER], verdicts=["drop"], by="fexit")
    assert shown(tmp_path / "t.pcapng", *FIELDS) == [[COMMENT, "scrubber@fexit", "535", "0x00000001", "1"]]
    assert result["packets"] == {"seen": 2, "matched": 1, "written": 1, "lost": 0}


def test_without_a_swap_the_action_is_told(machine: Machine, tmp_path: Path) -> None:
    machine.traced(tmp_path / "t.pcapng", [SLIDE, OTHER], swap=False)
    comments = {comment for (comment,) in shown(tmp_path / "t.pcapng", "frame.comment")}
    assert comments == {"verdict: [DROP]", "verdict: [PASS]"}


def test_the_trace_build_shows_the_same(machine: Machine, tmp_path: Path) -> None:
    machine.traced(tmp_path / "t.pcapng", [SLIDE], by="build")
    assert shown(tmp_path / "t.pcapng", *FIELDS) == [[COMMENT, "scrubber@trace", "535", "0x00000001", "1"]]


def test_the_verifier_takes_both_tracers_with_all_that_can_be_asked(machine: Machine) -> None:
    told = machine.load(FILTER)
    assert {name: told[name] for name in told if name != "kernel"} == {}


def test_a_program_of_somebody_else_is_told_by_its_action(machine: Machine, tmp_path: Path) -> None:
    code = compiled(
        'SEC("xdp") int somebodys(struct xdp_md *ctx) { return XDP_DROP; } char _license[] SEC("license") = "x";'
    )
    machine.ask(do="foreign", nic="pair0", object=base64.b64encode(code).decode())
    machine.begin("pair0")
    machine.ask(do="send", frame=frame(OTHER, "packet").hex())
    machine.end(tmp_path / "t.pcapng", 0)
    assert shown(tmp_path / "t.pcapng", *FIELDS) == [["verdict: [DROP]", "somebodys@fexit", "60", "0x00000001", "1"]]


@deep
def test_a_direct_attachment_is_followed_over_a_reload(machine: Machine, tmp_path: Path) -> None:
    machine.converge(attach="direct")
    machine.begin()
    sent = machine.send(SLIDE)
    machine.converge(attach="direct", constants={"with_outbound": True})
    sent += machine.send(SLIDE)
    told = machine.end(tmp_path / "t.pcapng", sent)
    assert [comment for (comment,) in shown(tmp_path / "t.pcapng", "frame.comment")] == ["verdict: [DROP]"] * 2
    assert "is attached directly" in told["warnings"][0] and "followed" in told["warnings"][-1]
