# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole reloads on real drivers under a stream of numbered frames, and an account of every single one.

A frame that the emulated NIC has no room for never meets a program; the driver or the tap counts it, and it is told
apart. WIRESPEED_RELOADS says how many reloads (1000 are the promise), WIRESPEED_LOSS_KERNELS on which kernels.
"""

from __future__ import annotations

import base64
import itertools
import re
import statistics
import threading
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator, List

import pytest

from tests.depth import deep, kernels, times
from tests.ledger import build
from tests.ledger.account import Account, account

from . import Image, LabError, Node, frames, netns
from .agent import Agent
from .conftest import _factory
from .site import IGB, INTERFACES, NICS, VIRTIO, VMXNET3, Site
from .wire import Wire

KERNELS = kernels("WIRESPEED_LOSS_KERNELS", "6.12")
RELOADS = times("WIRESPEED_RELOADS", usual=10, promised=1000)
DRIVERS = {"igb": IGB, "virtio_net": VIRTIO, "vmxnet3": VMXNET3}
USUAL = [("root", "igb"), ("root", "virtio_net")]
METHODS = ["root", "direct"]  # of tests/ledger/reloads.py
WAYS = [pytest.param(way, marks=() if way in USUAL else deep) for way in itertools.product(METHODS, DRIVERS)]
SOURCE = "198.18.0.7"
AT_ONCE = 100
GAPS = 1

# Frames that never came to a program, in `ethtool -S`, with what is in these counts but was judged; the profiles of
# these drivers say where each is counted (nic_drop, host_drop).
DROPPED = r"rx_missed_errors|rx_queue_\d+_drops|rx\d+_drops|pkts rx OOB|drv dropped rx total"
JUDGED = r"rx_queue_\d+_xdp_drops|rx\d+_xdp_drops"


@dataclass
class Bench:
    """One NIC of a node, with the ledger on it."""

    node: Node
    index: int
    agent: Agent
    sent: int = 0
    escaped: int = 0
    seconds: List[float] = field(default_factory=list)

    @property
    def nic_dropped(self) -> int:
        """Frames that the NIC had no room for since it was there, by the driver's count and the tap's."""
        text = self.node.out(f"ethtool -S {INTERFACES[self.index]}")
        counts = {pattern: re.findall(rf"^\s*(?:{pattern}): (\d+)$", text, re.M) for pattern in (DROPPED, JUDGED)}
        dropped, judged = (sum(map(int, counts[pattern])) for pattern in (DROPPED, JUDGED))
        nic = self.node.nics[self.index]
        return dropped - judged + (netns.statistic(nic.namespace, nic.tap, "tx_dropped") if nic.tap else 0)

    def in_traffic(self, verb: str, times: int) -> Account:
        """What became of the frames that came in meanwhile. Numbers go on where the last account ended."""
        first, dropped = self.sent, self.nic_dropped
        with self._numbered():
            self.seconds = self.agent.ask(verb, times).get("seconds", [])
        escaped = self.escaped
        answer = self.agent.ask("settle", self.sent)
        self.escaped = answer["escaped"]
        seen = zlib.decompress(base64.b64decode(answer["seen"]))
        return account(seen[first:], self.sent - first, self.escaped - escaped, self.nic_dropped - dropped)

    @contextmanager
    def _numbered(self) -> Iterator[None]:
        """Frames with ever higher numbers, all of one source, for as long as the body runs."""
        over = threading.Event()

        def send() -> None:
            with self.node.wire(self.index) as wire:
                numbered = self._frames(wire)
                while not over.is_set():
                    with suppress(LabError):  # frames that the tap dropped are in `nic_dropped`
                        wire.send(itertools.islice(numbered, AT_ONCE))

        sender = threading.Thread(target=send, name=f"numbers into {INTERFACES[self.index]}", daemon=True)
        sender.start()
        try:
            yield
        finally:
            over.set()
            sender.join()

    def _frames(self, wire: Wire) -> Iterator[bytes]:
        while True:
            self.sent += 1
            yield frames.udp(wire.mac, self.sent - 1, source=SOURCE, source_port=1000 + self.sent % 32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the node gets: the pipeline, and what reloads it."""
    made = tmp_path_factory.mktemp("ledger")
    build.pipeline("ledger", made)
    build.copy_modules(made)
    return made


@pytest.fixture(scope="module", params=KERNELS)
def agent(request: pytest.FixtureRequest, lab_image: Image, folder: Path) -> Iterator[Agent]:
    """The engine and the ledger on a node with every NIC; one node at a time."""
    for make in _factory(lab_image):
        node = make(request.param, *NICS)
        for driver in DRIVERS.values():
            Site(node, {INTERFACES[driver]: {}}).quiet()
        node.put(folder, "/root/ledger")
        started = Agent(node, "ledger_agent.py")
        try:
            yield started
        finally:
            started.close()


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def bench(request: pytest.FixtureRequest, agent: Agent) -> Bench:
    """The ledger on one NIC; whatever carried it before is bare again."""
    method, driver = request.param
    agent.ask("begin", INTERFACES[DRIVERS[driver]], method)
    return Bench(agent.node, DRIVERS[driver], agent)


@pytest.fixture
def label(request: pytest.FixtureRequest) -> str:
    method, driver = request.node.callspec.params["bench"]
    return f"on {driver} by {method}, kernel {request.node.callspec.params['agent']}"


def test_reloads_lose_nothing(bench: Bench, label: str, record_property: Callable[[str, object], None]) -> None:
    found = bench.in_traffic("reload", RELOADS)
    took = statistics.median(bench.seconds)
    record_property("told", f"{RELOADS} reloads {label}: {found}; a reload took {took * 1000:.0f} ms")
    assert found.lossless, found


def test_detach_and_attach_is_seen_in_the_account(
    bench: Bench, label: str, record_property: Callable[[str, object], None]
) -> None:
    """The same account can fail: this is what a reload costs that takes the program off meanwhile."""
    found = bench.in_traffic("gap", GAPS)
    record_property("told", f"{GAPS} time detach and attach {label}: {found}")
    assert found.never > found.nic_dropped
    assert found.escaped > 0
