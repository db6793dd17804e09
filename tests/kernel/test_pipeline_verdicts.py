# SPDX-License-Identifier: GPL-3.0-or-later
"""What scrubber does with a frame, and that each is counted once, packets and bytes."""

from __future__ import annotations

import select
import socket
from dataclasses import replace
from typing import Dict, List, Sequence, Tuple

import pytest

from tests.pipelines import DENY_V4, DENY_V6, MALFORMED, NOT_INSPECTED, PASS, next_scrubber, scrubber
from tests.probes import requires, requires_bpf
from wirespeed.kernel.bpf_prog import BpfProgram
from wirespeed.model.nic import XdpMode
from wirespeed.pipeline import metadata

from .conftest import Places
from .frames import ETH_P_IP, ETH_P_IPV6, FROM, ethernet, frame_v4, frame_v6, ipv4, ipv6, send
from .netns import Veth
from .pipelines_here import Node, attach_step, publish_step

pytestmark = [requires_bpf, requires("clang")]

DROP, GO = 1, 2  # XDP_DROP, XDP_PASS
VERDICT_ACTION = {PASS: GO, NOT_INSPECTED: GO, DENY_V4: DROP, DENY_V6: DROP, MALFORMED: DROP}
DENIED_V4 = ("192.0.2.0/24", "203.0.113.7/32", "10.0.0.0/9")
DENIED_V6 = ("2001:db8:bad::/48", "2001:db8::7/128")
ARP = 0x0806


def broken_v4(first_byte: int) -> bytes:
    return ethernet(ETH_P_IP, bytes([first_byte]) + ipv4("198.51.100.9")[1:])


CASES: Dict[str, Tuple[bytes, int]] = {
    "v4 outside": (frame_v4("198.51.100.9"), PASS),
    "v4 first of prefix": (frame_v4("192.0.2.0"), DENY_V4),
    "v4 last of prefix": (frame_v4("192.0.2.255"), DENY_V4),
    "v4 just below": (frame_v4("192.0.1.255"), PASS),
    "v4 just above": (frame_v4("192.0.3.0"), PASS),
    "v4 host": (frame_v4("203.0.113.7"), DENY_V4),
    "v4 beside host": (frame_v4("203.0.113.6"), PASS),
    "v4 odd length inside": (frame_v4("10.127.255.255"), DENY_V4),
    "v4 odd length outside": (frame_v4("10.128.0.0"), PASS),
    "v4 destination is not source": (ethernet(ETH_P_IP, ipv4("198.51.100.9", b"", "192.0.2.1")), PASS),
    "v4 with options": (ethernet(ETH_P_IP, b"\x46" + ipv4("192.0.2.9", b"1234")[1:]), DENY_V4),
    "v6 outside": (frame_v6("2001:db8::8"), PASS),
    "v6 in prefix": (frame_v6("2001:db8:bad:ffff::1"), DENY_V6),
    "v6 host": (frame_v6("2001:db8::7"), DENY_V6),
    "vlan v4": (frame_v4("192.0.2.9", [7]), DENY_V4),
    "vlan v6": (frame_v6("2001:db8::7", [7]), DENY_V6),
    "vlan v4 outside": (frame_v4("198.51.100.9", [7]), PASS),
    "qinq v4": (frame_v4("192.0.2.9", [100, 7]), DENY_V4),
    "qinq v6": (frame_v6("2001:db8::7", [100, 7]), DENY_V6),
    "three tags": (frame_v4("192.0.2.9", [1, 2, 3]), NOT_INSPECTED),
    "arp": (ethernet(ARP, b"\0" * 28), NOT_INSPECTED),
    "v4 cut in the header": (ethernet(ETH_P_IP, b"")[:14] + ipv4("192.0.2.9")[:19], MALFORMED),
    "v4 options cut": (ethernet(ETH_P_IP, b"")[:14] + b"\x4f" + ipv4("192.0.2.9")[1:20], MALFORMED),
    "v4 header length below 20": (broken_v4(0x44), MALFORMED),
    "v4 says version 6": (broken_v4(0x65), MALFORMED),
    "v6 cut in the header": (ethernet(ETH_P_IPV6, b"")[:14] + ipv6("2001:db8::7")[:39], MALFORMED),
    "v6 says version 4": (ethernet(ETH_P_IPV6, b"\x45" + ipv6("2001:db8::7")[1:]), MALFORMED),
    "vlan cut in the tag": (frame_v4("192.0.2.9", [7])[:16], MALFORMED),
}


def prepared(veth: Veth, attached: bool = False) -> Node:
    node = Node(scrubber())
    node.run(scrubber(), DENIED_V4, DENIED_V6)
    if attached:
        node.do(attach_step(veth.ifname, "scrubber"))
    return node


@pytest.mark.parametrize("case", CASES)
def test_one_frame_gets_one_verdict(veth: Veth, places: Places, case: str) -> None:
    frame, verdict = CASES[case]

    def on_node() -> Tuple[int, List[Tuple[int, int]]]:
        node = prepared(veth)
        with node.root() as root:
            action = root.test_run(frame).action
        return action, node.verdicts(scrubber())

    action, counts = veth.node.run(on_node)
    expected = [(0, 0)] * len(scrubber().manifest.verdicts)
    expected[verdict] = (1, len(frame))
    assert (action, counts) == (VERDICT_ACTION[verdict], expected)


def test_repeated_runs_are_counted_each(veth: Veth, places: Places) -> None:
    frame = frame_v4("192.0.2.9")

    def on_node() -> List[Tuple[int, int]]:
        node = prepared(veth)
        with node.root() as root:
            root.test_run(frame, repeat=1000)
        return node.verdicts(scrubber())

    assert veth.node.run(on_node)[DENY_V4] == (1000, 1000 * len(frame))


@pytest.mark.parametrize(("policy", "action"), [("pass", GO), ("drop", DROP)])
def test_an_empty_slot_follows_its_policy_and_is_counted(veth: Veth, places: Places, policy: str, action: int) -> None:
    source = replace(scrubber(), manifest=replace(scrubber().manifest, empty_slot=policy))
    frame = frame_v4("192.0.2.9")

    def on_node() -> Tuple[int, Tuple[int, int]]:
        node = Node(source)
        node.run(source)
        node.do(publish_step("scrubber", source.generation, None))
        with node.root() as root:
            return root.test_run(frame).action, node.unfiltered()

    assert veth.node.run(on_node) == (action, (1, len(frame)))


def real_frames() -> Sequence[bytes]:
    return [frame for frame, _ in CASES.values() if len(frame) >= 60]


MARKER = ethernet(ARP, b"\0" * 28)[:6] + b"\x02\0\0\0\0\x02" + ethernet(ARP, b"\0" * 28)[12:]


def delivered(veth: Veth, frames: Sequence[bytes]) -> int:
    """Sends ``frames`` and says how many of them reach the stack of the node.

    A last frame from another address ends the wait; it follows when all others have been counted.
    """

    def listen() -> int:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as raw:
            raw.bind((veth.ifname, 3))
            raw.settimeout(30)
            sent = counted() + veth.wire.run(send, veth.wire_ifname, frames)
            while counted() < sent:
                select.select([], [], [], 0.001)
            veth.wire.run(send, veth.wire_ifname, [MARKER])
            return _received(raw)

    def counted() -> int:
        return sum(packets for packets, _ in Node().verdicts(scrubber()))

    return int(veth.node.run(listen))


def _received(raw: socket.socket) -> int:
    got = 0
    while True:
        source = raw.recv(2048)[6:12]
        if source == MARKER[6:12]:
            return got
        got += source == FROM


@pytest.mark.parametrize("mode", [XdpMode.NATIVE, XdpMode.GENERIC])
def test_real_frames_are_dropped_and_counted_exactly(veth: Veth, places: Places, mode: XdpMode) -> None:
    """Our frames only: a node's own chatter (IPv6 neighbour discovery) is counted too, so it is switched off."""
    frames = list(real_frames()) * 20
    for netns, name in ((veth.node, veth.ifname), (veth.wire, veth.wire_ifname)):
        netns.command("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")

    def on_node() -> Node:
        node = prepared(veth)
        node.do(attach_step(veth.ifname, "scrubber", mode))
        return node

    veth.node.run(lambda: on_node() and None)
    before = veth.node.run(lambda: Node().verdicts(scrubber()))
    reached = delivered(veth, frames)
    after = veth.node.run(lambda: Node().verdicts(scrubber()))
    counted = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(before, after)]
    expected = [[0, 0] for _ in scrubber().manifest.verdicts]
    expected[NOT_INSPECTED] = [1, len(MARKER)]
    for frame, verdict in CASES.values():
        if len(frame) >= 60:
            expected[verdict][0] += 20
            expected[verdict][1] += 20 * len(frame)
    assert counted == [tuple(pair) for pair in expected]
    assert reached == sum(pair[0] for verdict, pair in enumerate(expected) if VERDICT_ACTION.get(verdict) == GO) - 1


def test_counts_go_on_across_a_swap(veth: Veth, places: Places) -> None:
    frame = frame_v4("192.0.2.9")

    def on_node() -> List[Tuple[int, int]]:
        old, new = scrubber(), next_scrubber()
        node = prepared(veth)
        with node.root() as root:
            root.test_run(frame, repeat=7)
            newer = Node(new)
            newer.run(new, DENIED_V4)
            root.test_run(frame, repeat=5)
        assert node.verdicts(old) == newer.verdicts(new)
        return newer.verdicts(new)

    assert veth.node.run(on_node)[DENY_V4] == (12, 12 * len(frame))


def test_config_does_not_leak_into_the_next_generation(veth: Veth, places: Places) -> None:
    def on_node() -> int:
        prepared(veth)
        new = Node(next_scrubber())
        new.run(next_scrubber())
        with new.root() as root:
            return root.test_run(frame_v4("192.0.2.9")).action

    assert veth.node.run(on_node) == GO


def test_the_loaded_program_says_who_it_is(veth: Veth, places: Places) -> None:
    def on_node() -> Dict[str, object]:
        node = prepared(veth)
        pin = node.paths.program("scrubber", scrubber().generation, "scrubber")
        with BpfProgram.pinned(str(pin)) as program:
            return metadata.read(program)

    said = veth.node.run(on_node)
    assert {name: value for name, value in said.items() if name.startswith("bpf_metadata")} == {
        "bpf_metadata_wirespeed_pipeline": "scrubber",
        "bpf_metadata_wirespeed_version": "0.1.0",
        "bpf_metadata_wirespeed_generation": scrubber().generation,
        "bpf_metadata_wirespeed_root_abi": 1,
    }
