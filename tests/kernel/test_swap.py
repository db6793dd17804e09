# SPDX-License-Identifier: GPL-3.0-or-later
"""Code is replaced under traffic at the highest rate the sender reaches, and every packet is accounted for.

All frames come from a denied prefix, and both generations deny it. So each frame that the kernel took must be
counted as denied, by one generation or the other; one that is not has passed unfiltered or was lost.
"""

from __future__ import annotations

import select
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, List

from tests.pipelines import DENY_V4, next_scrubber, scrubber
from tests.probes import requires, requires_bpf
from wirespeed.pipeline.source import PipelineSource

from .conftest import Places
from .frames import frame_v4
from .netns import Veth
from .pipelines_here import Node, attach_step, configure_step, load_step, publish_step

pytestmark = [requires_bpf, requires("clang")]

SWAPS = 200
RELOADS = 25
GAPS = 20
PROGRESS = 500
"""Packets that must be counted between two swaps, so that each swap happens in the middle of traffic."""
DENIED = ("192.0.2.0/24",)
PATIENCE = 60.0


@dataclass
class Sent:
    """``taken``: frames that the kernel took. ``accounted``: frames that were counted as denied."""

    taken: int = 0
    accounted: int = 0
    empty_slot: int = 0


@contextmanager
def traffic(veth: Veth, sender: Path) -> Iterator[Callable[[], int]]:
    """Yields a function that stops the sender and returns how many frames the kernel took."""
    process = subprocess.Popen(
        veth.wire.inside(str(sender), veth.wire_ifname), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None

    def stop() -> int:
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        return int(process.stdout.read().split()[0])

    try:
        process.stdin.write(frame_v4("192.0.2.66"))
        process.stdin.close()
        assert process.stdout.readline() == b"sending\n"
        yield stop
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def denied() -> int:
    """Both generations count in one map; so does any that is loaded."""
    node = Node()
    return node.verdicts(_loaded(node))[DENY_V4][0]


def _loaded(node: Node) -> PipelineSource:
    found = node.paths.generations("scrubber")
    return scrubber() if scrubber().generation in found else next_scrubber()


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        select.select([], [], [], 0.0005)
    return condition()


def in_traffic(veth: Veth, sender: Path, change: Callable[[Node, int], None], times: int) -> Sent:
    """Makes ``change`` ``times`` times, each after traffic has been counted since the one before."""
    # The wire's own neighbour discovery would meet the empty slot too.
    veth.wire.command("sysctl", "-qw", f"net.ipv6.conf.{veth.wire_ifname}.disable_ipv6=1")

    def on_node() -> Sent:
        node = Node(scrubber())
        node.run(scrubber(), DENIED)
        Node(next_scrubber()).do(load_step(next_scrubber()), configure_step(next_scrubber(), "deny_v4", DENIED))
        node.do(attach_step(veth.ifname, "scrubber"))
        with traffic(veth, sender) as stop:
            for number in range(times):
                seen = denied()
                assert wait_until(lambda seen=seen: denied() >= seen + PROGRESS)
                change(node, number)
            taken = stop()
        # What the kernel took may still be in the veth's ring for a moment.
        settled: List[int] = []
        wait_until(lambda: settled.append(denied()) or settled[-1] >= taken or settled[-200:] == [settled[-1]] * 200)
        return Sent(taken, denied(), node.unfiltered()[0])

    return veth.node.run(on_node, timeout=300.0)


def swap(node: Node, number: int) -> None:
    generations = scrubber(), next_scrubber()
    old, new = generations[number % 2], generations[(number + 1) % 2]
    Node(new).do(publish_step("scrubber", old.generation, new.generation))


def reload(node: Node, number: int) -> None:
    """A whole reload: unload what is not live, load it anew, fill it, publish it."""
    generations = scrubber(), next_scrubber()
    new = generations[(number + 1) % 2]
    Node(new).do(load_step(new).inverted(), load_step(new), configure_step(new, "deny_v4", DENIED))
    swap(node, number)


def test_200_slot_swaps_lose_nothing(veth: Veth, places: Places, sender: Path) -> None:
    sent = in_traffic(veth, sender, swap, SWAPS)
    print(f"{SWAPS} swaps: sent {sent.taken}, accounted {sent.accounted}")
    assert sent.taken >= SWAPS * PROGRESS
    assert (sent.taken - sent.accounted, sent.empty_slot) == (0, 0)


def test_whole_reloads_lose_nothing(veth: Veth, places: Places, sender: Path) -> None:
    sent = in_traffic(veth, sender, reload, RELOADS)
    print(f"{RELOADS} reloads: sent {sent.taken}, accounted {sent.accounted}")
    assert (sent.taken - sent.accounted, sent.empty_slot) == (0, 0)


def test_an_emptied_slot_is_seen_in_the_count(veth: Veth, places: Places, sender: Path) -> None:
    def gap(node: Node, number: int) -> None:
        node.do(publish_step("scrubber", scrubber().generation, None))
        before = node.unfiltered()[0]
        assert wait_until(lambda: node.unfiltered()[0] > before)
        node.do(publish_step("scrubber", None, scrubber().generation))

    sent = in_traffic(veth, sender, gap, GAPS)
    assert sent.empty_slot > 0
    assert sent.taken == sent.accounted + sent.empty_slot


def test_detach_and_attach_does_lose_packets(veth: Veth, places: Places, sender: Path) -> None:
    """The same count can fail: this is what a swap without a root costs."""

    def gap(node: Node, number: int) -> None:
        node.do(attach_step(veth.ifname, "scrubber").inverted(), attach_step(veth.ifname, "scrubber"))

    sent = in_traffic(veth, sender, gap, GAPS)
    print(f"{GAPS} times detach and attach: sent {sent.taken}, accounted {sent.accounted}")
    assert sent.taken > sent.accounted
