# SPDX-License-Identifier: GPL-3.0-or-later
"""A trace on the real kernel, by the trace build: what tshark shows of it, and that it accounts for every packet."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import pytest

from tests.probes import requires, requires_bpf
from wirespeed.errors import WirespeedError

from .conftest import Places
from .netns import Factory, Veth
from .scrubber_attached import NAME, attach, built, counts, passed_through, quiet_veth
from .traced_here import left, shown, statistics, traced, traced_frames

pytestmark = [requires_bpf, requires("clang", "ethtool", "tshark", "libpcap")]

DOCUMENT = {
    "deny_v4": ["192.0.2.128/25"],
    "customers_v4": [
        {"prefix": "203.0.113.0/24", "customer": 601, "policy": 1121},
        {"prefix": "198.51.100.0/24", "customer": 602, "policy": 7},
    ],
    "policies": [
        {"policy": 1121, "countermeasures": ["connections"]},
        {"policy": 7, "countermeasures": ["connections"], "dry_run": True},
    ],
}
SLIDE = {"ipv4": {"destination": "203.0.113.7"}, "tcp": {"destination": 443, "flags": ["ack"]}, "length": 535}
COMMENT = "cus: 601, pol: 1121, mitigation: cm_cs, verdict: [DROP]"
DRY = {**SLIDE, "ipv4": {"destination": "198.51.100.7"}}
DENIED = {"ipv4": {"source": "192.0.2.200"}, "udp": {"destination": 53}}
OTHER = {"ipv4": {"destination": "9.9.9.9"}, "udp": {"destination": 53}}
ALL = [built(each)[0] for each in (SLIDE, DRY, DENIED, OTHER)]
MANY = 5000
LOAD = 200_000


@pytest.fixture
def veth(namespaces: Factory, places: Places) -> Veth:
    """A quiet one that carries the scrubber."""
    made = quiet_veth(namespaces)
    made.node.run(attach, made, DOCUMENT)
    return made


def result_of(veth: Veth, file: Path, frames: Sequence[bytes], **asked: Any) -> Dict[str, Any]:
    result = veth.node.run(traced_frames, veth, file, frames, **asked)
    assert veth.node.run(left, NAME) == []
    return result


def test_a_packet_that_a_countermeasure_drops_is_shown_with_its_verdict(veth: Veth, tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    result_of(veth, file, built(SLIDE))
    fields = ("frame.comment", "frame.interface_name", "frame.interface_queue", "frame.packet_flags", "frame.len")
    assert shown(file, *fields, "frame.cap_len", "frame.verdict.ebpf_xdp") == [
        [COMMENT, "scrubber@trace", "0", "0x00000001", "535", "535", "1"]
    ]


def test_it_finds_a_way_by_itself(veth: Veth, tmp_path: Path) -> None:
    """By fexit where this kernel allows that, else by the build, and says why."""
    file = tmp_path / "trace.pcapng"
    result = result_of(veth, file, built(SLIDE), by="auto")
    assert [comment for (comment,) in shown(file, "frame.comment")] == [COMMENT]
    assert result["interface"] == "scrubber@fexit" or "Not by fexit" in result["warnings"][0]


def test_every_packet_has_an_id_of_its_own(veth: Veth, tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    result_of(veth, file, ALL * 10)
    ids = [number for (number,) in shown(file, "frame.packet_id")]
    assert len(set(ids)) == len(ALL) * 10


def test_the_comment_says_what_became_of_each_packet(veth: Veth, tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    result_of(veth, file, ALL)
    assert [comment for (comment,) in shown(file, "frame.comment")] == [
        COMMENT,
        "cus: 602, pol: 7, mitigation: cm_cs, verdict: [PASS], dry run",
        "mitigation: deny_prefix_v4, verdict: [DROP]",
        "verdict: [PASS]",
    ]


CHOICES: List[Tuple[Dict[str, Any], List[int]]] = [
    ({"verdicts": ["drop"]}, [0, 2]),
    ({"verdicts": ["deny_prefix_v4"]}, [2]),
    ({"verdicts": ["no_connection", "pass"]}, [0, 1, 3]),
    ({"policy": 7}, [1]),
    ({"customer": 601}, [0]),
    ({"filter": "udp port 53"}, [2, 3]),
    ({"filter": "tcp", "verdicts": ["pass"]}, [1]),
    ({"sample": 2**31}, []),
]


def test_only_what_was_asked_for_is_kept(veth: Veth, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.pcapng" for number in range(len(CHOICES))]

    def on_node() -> List[Dict[str, int]]:
        asked = zip(files, (asked for asked, dummy in CHOICES))
        return [traced_frames(veth, file, ALL, **choice)["packets"] for file, choice in asked]

    packets = veth.node.run(on_node)
    lengths = [[len(ALL[number]) for number in kept] for dummy, kept in CHOICES]
    assert [[int(length) for (length,) in shown(file, "frame.len")] for file in files] == lengths
    assert packets == [{"seen": 4, "matched": len(kept), "written": len(kept), "lost": 0} for dummy, kept in CHOICES]


def test_a_packet_is_cut_to_the_snapshot_length(veth: Veth, tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    result_of(veth, file, built(SLIDE), snaplen=96, filter="tcp[tcpflags] == tcp-ack and len == 535")
    assert shown(file, "frame.cap_len", "frame.len") == [["96", "535"]]


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        ({"ring_bytes": 1 << 16, "rate": 0}, "ring"),
        ({"rate": 100}, "rate"),
        ({"rate": 0, "max_bytes": 20000}, "file"),
    ],
    ids=["a full ring", "a rate", "a full file"],
)
def test_what_is_written_and_what_is_lost_is_what_matched(
    veth: Veth, tmp_path: Path, asked: Dict[str, Any], cause: str
) -> None:
    file = tmp_path / "trace.pcapng"
    result = result_of(veth, file, built(DENIED, MANY), **asked)
    packets, lost = result["packets"], result["lost_by"]
    assert packets["matched"] == MANY
    assert packets["written"] + packets["lost"] == MANY
    assert lost[cause] == packets["lost"] > 0
    assert len(shown(file, "frame.number")) == packets["written"]


def test_under_load_nothing_is_counted_twice_or_not_at_all(veth: Veth, sender: Path, tmp_path: Path) -> None:
    file, stdin = tmp_path / "trace.pcapng", subprocess.PIPE
    (frame,) = built(DENIED)

    def on_node() -> Dict[str, Any]:
        def script() -> Iterator[None]:
            with subprocess.Popen(veth.wire.inside(str(sender), veth.wire_ifname), stdin=stdin) as sending:
                sending.stdin.write(frame)  # type: ignore[union-attr]
                sending.stdin.close()  # type: ignore[union-attr]
                while counts().get("deny_prefix_v4", 0) < LOAD:
                    yield
                sending.terminate()

        return traced(veth, file, script, ring_bytes=1 << 17, rate=0, snaplen=60)

    packets = veth.node.run(on_node)["packets"]
    assert packets["written"] + packets["lost"] == packets["matched"] == packets["seen"]
    assert packets["written"] > 0 < packets["lost"]
    assert len(shown(file, "frame.number")) == packets["written"]


def test_the_file_itself_says_what_was_lost(veth: Veth, tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"

    def on_node() -> Dict[str, Any]:
        def script() -> Iterator[None]:
            passed_through(veth, built(DENIED, MANY))
            yield
            yield
            passed_through(veth, built(SLIDE))
            yield

        return traced(veth, file, script, ring_bytes=1 << 16, rate=0)

    packets = veth.node.run(on_node)["packets"]
    dropped = [int(number) for (number,) in shown(file, "frame.drop_count") if number]
    assert dropped == [packets["lost"]]
    assert statistics(file) == {**packets, "dropped": packets["lost"]}


def test_a_nic_without_a_program_has_nothing_to_trace(namespaces: Factory, places: Places, tmp_path: Path) -> None:
    bare = quiet_veth(namespaces)
    with pytest.raises(WirespeedError, match="carries no XDP program"):
        bare.node.run(traced_frames, bare, tmp_path / "trace.pcapng", ())
    assert not (tmp_path / "trace.pcapng").exists()


def test_an_expression_that_nobody_understands_touches_nothing(veth: Veth, tmp_path: Path) -> None:
    with pytest.raises(WirespeedError, match="syntax error"):
        veth.node.run(traced_frames, veth, tmp_path / "trace.pcapng", (), filter="udp porte 53")
    assert veth.node.run(left, NAME) == []
    assert not (tmp_path / "trace.pcapng").exists()
