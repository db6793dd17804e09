# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan says of a carrier is what the kernel counts, for every driver and every setting that it has.

Each setting is changed once on a bare NIC and changed back under a program, on all drivers at once, and nothing else in
that run: a NIC whose step says `bounce` has lost its carrier in it and found it again (two changes), any other word
means that the carrier stayed. WIRESPEED_SETTINGS_KERNELS says on which kernels; "6.1 6.12 newest" are all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest

from tests.depth import DEEP, kernels

from . import Node
from .agent import Agent
from .site import E1000E, IGB, INTERFACES, NICS, TABLES, VIRTIO, VMXNET3

KERNELS = kernels("WIRESPEED_SETTINGS_KERNELS", "6.12")
DRIVERS = ("igb", "virtio_net", "vmxnet3", "e1000e")
ALL = (IGB, VIRTIO, VMXNET3, E1000E)
Tuning = Dict[str, Any]


def on(nics: Tuple[int, ...], **tuning: Any) -> Dict[int, Tuning]:
    return dict.fromkeys(nics, tuning)


# What is asked for, by case: first what it is changed to, then what it is changed back to.
QUIET = {
    "txqueuelen": {"txqueuelen": 2000},
    "napi": {"defer-hard-irqs": 2, "gro-flush-timeout": 20000},
    "irq_affinity": {"cpus": "spread"},
    "rps": {"cpus": "none"},
}
LOUD = {
    "txqueuelen": {"txqueuelen": 1000},
    "napi": {"defer-hard-irqs": 0, "gro-flush-timeout": 0},
    "irq_affinity": {"cpus": "spread"},
    "rps": {"cpus": "spread"},
}
HASHED = {"rss_fields": {"udp4": "sdfn"}, "coalesce": {"rx-usecs": 50}, "xps": {"cpus": "spread"}}
PLAIN = {"rss_fields": {"udp4": "sd"}, "coalesce": {"rx-usecs": 3}, "xps": {"cpus": "none"}}
ONE_QUEUE = {"rss": {"indirection": "equal 1"}}
EQUAL = {"rss": {"indirection": "equal"}}
EVERY_CASE: Dict[str, Tuple[Dict[int, Tuning], Dict[int, Tuning]]] = {
    "the kernel's side": (on(ALL, **QUIET), on(ALL, **LOUD)),
    "coalescing, hashing, XPS": (
        {IGB: HASHED, E1000E: {"coalesce": {"rx-usecs": 125}}},  # virtio_net spreads XPS by itself
        {IGB: PLAIN, VIRTIO: {"xps": {"cpus": "none"}}, E1000E: {"coalesce": {"rx-usecs": 3}}},
    ),
    "the RSS table": (on((IGB, VIRTIO, VMXNET3), **ONE_QUEUE), on((IGB, VIRTIO, VMXNET3), **EQUAL)),
    "a feature of the kernel alone": (on(ALL, features={"rx-gro": False}), on(ALL, features={"rx-gro": True})),
    "segmentation": (
        on((IGB, VMXNET3, E1000E), features={"tx-tcp-segmentation": False}),
        on((IGB, VMXNET3, E1000E), features={"tx-tcp-segmentation": True}),
    ),
    "checksums": (
        on((IGB, VMXNET3, E1000E), features={"rx-checksum": False}),
        on((IGB, VMXNET3, E1000E), features={"rx-checksum": True}),
    ),
    "VLAN tags": (
        {
            **on((IGB, E1000E), features={"rx-vlan-hw-parse": True, "tx-vlan-hw-insert": True}),
            **on((VMXNET3,), features={"rx-vlan-hw-parse": True}),
        },
        {
            **on((IGB, E1000E), features={"rx-vlan-hw-parse": False, "tx-vlan-hw-insert": False}),
            **on((VMXNET3,), features={"rx-vlan-hw-parse": False}),
        },
    ),
    "bad frames too": (on((IGB, E1000E), features={"rx-all": True}), on((IGB, E1000E), features={"rx-all": False})),
    "MTU": (on(ALL, mtu={"mtu": 1400}), on(ALL, mtu={"mtu": 1500})),
    "channels": (on((IGB, VIRTIO), channels={"combined": 1}), on((IGB, VIRTIO), channels={"combined": 2})),
    "receive rings": (
        {**on((IGB, VMXNET3, E1000E), rings={"rx": 1024}), VIRTIO: {"rings": {"rx": 128}}},
        {**on((IGB, VMXNET3, E1000E), rings={"rx": 512}), VIRTIO: {"rings": {"rx": 256}}},
    ),
    "send rings": (
        {**on((IGB, VMXNET3, E1000E), rings={"tx": 1024}), VIRTIO: {"rings": {"tx": 128}}},
        {**on((IGB, VMXNET3, E1000E), rings={"tx": 512}), VIRTIO: {"rings": {"tx": 256}}},
    ),
    "private flags": (
        on((IGB,), private_flags={"legacy-rx": True}),
        on((IGB,), private_flags={"legacy-rx": False}),
    ),
    "pause with negotiation": (
        on((IGB, E1000E), pause={"autoneg": True}),
        on((IGB, E1000E), pause={"autoneg": True}),
    ),
    "pause without": (
        on((IGB, E1000E), pause={"autoneg": False, "rx": True, "tx": False}),
        on((IGB, E1000E), pause={"autoneg": False, "rx": False, "tx": False}),
    ),
}
USUAL = ("VLAN tags", "channels", "receive rings")
CASES = {name: case for name, case in EVERY_CASE.items() if DEEP or name in USUAL}


@dataclass(frozen=True)
class Ran:
    """One NIC in one run: its steps as (resource, disruption), and how often its carrier changed."""

    steps: Tuple[Tuple[str, str], ...]
    changes: int

    @property
    def announced(self) -> int:
        return 2 * sum(disruption == "bounce" for _, disruption in self.steps)

    @property
    def as_announced(self) -> bool:
        again = self.announced > 0 and self.changes > self.announced and self.changes % 2 == 0
        return self.changes == self.announced or again


class Bench:
    """A node whose intent grows case by case."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.tuning: Dict[int, Tuning] = {nic: {} for nic in ALL}
        self.figures: Dict[Tuple[str, str], Dict[int, Ran]] = {}
        self.pipeline = False
        self._changes: List[int] = [0] * len(ALL)

    def run(self) -> Dict[int, Ran]:
        scrubber = {"pipeline": "scrubber"} if self.pipeline else {}
        intent = {
            "nics": [{"name": INTERFACES[nic], "tuning": self.tuning[nic], **scrubber} for nic in ALL],
            "pipelines": [{"name": "scrubber", "tables": TABLES}] if self.pipeline else [],
        }
        answer = self.agent.request(intent=intent, carriers=INTERFACES)
        assert "result" in answer, answer
        before, self._changes = self._changes, [answer["carrier_changes"][name] for name in INTERFACES]
        ran = {}
        for nic in ALL:
            steps = [step for step in answer["result"]["steps"] if step["target"] == INTERFACES[nic]]
            words = tuple((step["resource"], step["disruption"]) for step in steps)
            ran[nic] = Ran(words, self._changes[nic] - before[nic])
        return ran

    def change(self, asked: Dict[int, Tuning]) -> Dict[int, Ran]:
        for nic, tuning in asked.items():
            for setting, values in tuning.items():
                earlier = self.tuning[nic].get(setting, {}) if setting in ("features", "rings") else {}
                self.tuning[nic][setting] = {**earlier, **values}
        return self.run()


@pytest.fixture(scope="module", params=KERNELS)
def bench(
    request: pytest.FixtureRequest, module_node: Callable[..., Node], module_agent: Callable[[Node], Agent]
) -> Iterator[Bench]:
    node = module_node(request.param, *NICS)
    up = "; ".join(f"ip link set {name} up" for name in INTERFACES)
    node.ssh(f"sysctl -qw net.ipv6.conf.all.disable_ipv6=1; {up}")
    bench = Bench(module_agent(node))
    bench.run()
    for case, (there, _) in CASES.items():
        bench.figures["bare", case] = bench.change(there)
    bench.pipeline = True
    bench.figures["bare", "attach"] = bench.run()
    for case, (_, back) in reversed(CASES.items()):
        bench.figures["attached", case] = bench.change(back)
    yield bench


@pytest.mark.parametrize("driver", ALL, ids=DRIVERS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("state", ["bare", "attached"])
def test_carrier_changes_as_often_as_the_plan_says(bench: Bench, state: str, case: str, driver: int) -> None:
    ran = bench.figures[state, case][driver]
    assert ran.as_announced, ran


@pytest.mark.parametrize("driver", ALL, ids=DRIVERS)
def test_attach_changes_the_carrier_as_the_plan_says(bench: Bench, driver: int) -> None:
    ran = bench.figures["bare", "attach"][driver]
    assert ("xdp" in dict(ran.steps)) and ran.as_announced, ran


@pytest.mark.parametrize("state", ["bare", "attached"])
@pytest.mark.parametrize("case", CASES)
def test_each_case_changes_something(bench: Bench, state: str, case: str) -> None:
    """Else nothing was measured."""
    asked = CASES[case][state == "attached"]
    idle = [DRIVERS[nic] for nic in asked if not bench.figures[state, case][nic].steps]
    assert not idle or case == "pause with negotiation", idle
