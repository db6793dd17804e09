# SPDX-License-Identifier: GPL-3.0-or-later
"""The first cause that a diagnosis names for losses that are made on purpose on a real driver.

On vmxnet3, whose device counts the frames for which it found no buffer. All of them come to its first queue, as from a
NIC whose hash does not spread; the second is there and idle.
"""

from __future__ import annotations

from itertools import cycle, islice
from time import monotonic, sleep
from typing import Any, Callable, Dict, Iterator

import pytest

from tests.depth import deep, kernels
from tests.pipelines import bundle_of, scrubber, small, support
from tests.probes import requires
from wirespeed.pipeline.source import PipelineSource

from . import Image, Node, frames, vcpu
from .agent import Agent
from .conftest import _factory
from .wire import Wire

pytestmark = requires("clang")

UP = "sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip link set {nic} up; ip addr add 192.0.2.100/24 dev {nic}"
RULES = "for i in $(seq 300); do echo rule {verb} from 10.0.0.1 prio $i table 100; done | ip -batch -"
LICENSE = '\nchar _license[] SEC("license") = "GPL";\n'
PASS = 'SEC("xdp") int small(struct xdp_md *ctx) { return XDP_PASS; }' + LICENSE
TO = 'WS_RODATA(__u32, to) = 0;\nSEC("xdp") int small(struct xdp_md *ctx) { return bpf_redirect(to, 0); }' + LICENSE
SLOW = (
    """
WS_MAP(BPF_MAP_TYPE_HASH, seen, __u32, __u64, 64, 0);
SEC("xdp") int small(struct xdp_md *ctx)
{
	__u64 sum = 0, *found;
	for (__u32 i = 0; i < 2000; i++) {
		__u32 key = i & 31;
		found = bpf_map_lookup_elem(&seen, &key);
		sum += found ? *found : i;
	}
	return sum ? XDP_DROP : XDP_PASS;
}
"""
    + LICENSE
)
SHORT, USUAL = 32, 512
RATE = 3000.0
Told = Dict[str, Any]


class Machine:
    """A node with one NIC, whose pipeline, rings and frames are chosen scene by scene."""

    def __init__(self, node: Node, kernel: str) -> None:
        self.node, self.kernel, self._agent = node, kernel, Agent(node, "diagnose_agent.py")
        self.nic = node.nics[0].interface
        node.ssh(UP.format(nic=self.nic))
        support()

    def carry(self, source: PipelineSource, ring: int = USUAL, **pipeline: Any) -> None:
        name = source.manifest.name
        nic = {"name": self.nic, "pipeline": name, "tuning": {"rings": {"rx": ring}}}
        intent = {"nics": [nic], "pipelines": [{"name": name, **pipeline}]}
        self._ask(do="converge", intent=intent, bundle=bundle_of(source))

    def diagnosed(self, meanwhile: Callable[[Wire], object]) -> Told:
        with self.node.wire(0) as wire:
            self._ask(do="begin", nic=self.nic)
            try:
                meanwhile(wire)
            finally:
                told = self._ask(do="end")
        return told

    def _ask(self, **fields: Any) -> Told:
        told = self._agent.request(**fields)
        assert "error" not in told, told
        return told

    def close(self) -> None:
        self._agent.close()


@pytest.fixture(scope="module", params=kernels("WIRESPEED_DIAGNOSE_KERNELS", "6.12"))
def machine(request: pytest.FixtureRequest, lab_image: Image) -> Iterator[Machine]:
    """One node at a time: the next kernel's starts when the last one is gone."""
    for make in _factory(lab_image):
        found = Machine(make(request.param, "vmxnet3"), request.param)
        yield found
        found.close()


def requires_native(machine: Machine) -> None:
    if machine.kernel == "6.1":
        pytest.skip("probe: vmxnet3 of Linux 6.1 has no native XDP, and generic XDP redirects to any port")


def first(told: Told) -> str:
    return f"{told['causes'][0]['stage']}: {told['causes'][0]['says']}"


def frames_to(wire: Wire, count: int, source: str = "198.51.100.9") -> Iterator[bytes]:
    made = [frames.udp(wire.mac, number, source=source, source_port=1000 + number % 32) for number in range(200)]
    return islice(cycle(made), count)


def flood(wire: Wire, seconds: float = 3.0) -> None:
    """As fast as the far end takes them."""
    end = monotonic() + seconds
    while monotonic() < end:
        wire.send(frames_to(wire, 500), 1e9)


def bursts(wire: Wire) -> None:
    """Each is longer than the short ring; between them the CPU has nothing to do."""
    for dummy in range(15):
        wire.send(frames_to(wire, 200), 1e9)
        sleep(0.15)  # the gap between bursts is what is made here, nothing is waited for


def test_bursts_that_are_longer_than_the_ring_are_the_rings(machine: Machine) -> None:
    machine.carry(scrubber(), ring=SHORT)
    told = machine.diagnosed(bursts)
    assert told["lost"] > 0 and "longer than the receive ring" in first(told), told["text"]
    assert f"the ring has {SHORT} descriptors" in " ".join(told["causes"][0]["evidence"])


def test_what_the_policy_drops_is_no_loss(machine: Machine) -> None:
    tables = {"deny_v4": ["192.0.2.0/24"]}
    machine.carry(scrubber(), tables=tables)
    told = machine.diagnosed(lambda wire: wire.send(frames_to(wire, 300, source="192.0.2.9"), 2000))
    assert (told["causes"][0]["stage"], told["lost"]) == ("policy", 0), told["text"]
    assert told["evidence"]["verdicts"]["deny_prefix_v4"] == 300


def test_a_queue_that_gets_all_is_hot_while_the_other_is_idle(machine: Machine) -> None:
    """The stack costs more than the program: hundreds of routing rules."""
    machine.carry(small(PASS))
    machine.node.ssh(RULES.format(verb="add"))
    try:
        told = machine.diagnosed(flood)
    finally:
        machine.node.ssh(RULES.format(verb="del"))
    assert first(told) == "CPU: one core takes it nearly all: queue 0 is hot", told["text"]
    assert told["evidence"]["imbalance"] == 2.0


def test_a_program_that_takes_the_cpu_is_named_before_the_queue_that_it_makes_hot(machine: Machine) -> None:
    machine.carry(small(SLOW))
    told = machine.diagnosed(flood)
    assert first(told) == "program: the XDP program takes the CPU's time", told["text"]


def test_a_cpu_that_was_held_is_named(machine: Machine) -> None:
    def held_at_times(wire: Wire) -> None:
        for dummy in range(2):
            with vcpu.held(machine.node, cpu):
                wire.send(frames_to(wire, 2500), RATE)
            wire.send(frames_to(wire, 1000), RATE)

    machine.carry(small(PASS))
    (cpu,) = machine.diagnosed(lambda wire: None)["evidence"]["queue_cpus"]["0"]
    told = machine.diagnosed(held_at_times)
    assert first(told) == f"CPU: CPU {cpu}, which serves the NIC, was kept from running", told["text"]
    assert told["lost"] > 0 and told["evidence"]["stalls"][str(cpu)]["longest"] > 0.5


def test_a_machine_that_was_paused_is_told_though_no_counter_shows_a_loss(machine: Machine) -> None:
    def paused(wire: Wire) -> None:
        wire.send(frames_to(wire, 100), RATE)
        with vcpu.paused(machine.node):
            sleep(3.0)  # how long the guest stands still is what is made here
        wire.send(frames_to(wire, 100), RATE)

    machine.carry(small(PASS))
    told = machine.diagnosed(paused)
    assert "the whole machine was paused" in first(told), told["text"]
    assert told["evidence"]["stood_still"] >= 1.5 and told["lost"] == 0


def test_a_redirect_to_a_port_without_a_program_is_named(machine: Machine) -> None:
    requires_native(machine)
    machine.node.ssh("ip link add there type veth peer name back; ip link set there up; ip link set back up")
    try:
        target = int(machine.node.out("cat /sys/class/net/there/ifindex"))
        machine.carry(small(TO, constants={"to": target}))
        told = machine.diagnosed(lambda wire: wire.send(frames_to(wire, 200), 2000))
    finally:
        machine.carry(small(PASS))
        machine.node.ssh("ip link del there")
    assert told["causes"][0]["stage"] == "redirect" and told["causes"][0]["frames"] == 200, told["text"]


@deep
def test_a_program_that_the_driver_runs_no_more_is_named(machine: Machine) -> None:
    """vmxnet3 shows it attached still after its queues were re-created (6.12, 7.2)."""
    requires_native(machine)
    machine.carry(small(PASS))
    machine.node.ssh(f"ip link set {machine.nic} down; ip link set {machine.nic} up")
    machine.node.until(f"grep -q 1 /sys/class/net/{machine.nic}/carrier")
    told = machine.diagnosed(lambda wire: wire.send(frames_to(wire, 200), 2000))
    assert "the driver runs it on no frame" in first(told), told["text"]
