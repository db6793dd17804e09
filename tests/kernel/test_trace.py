# SPDX-License-Identifier: GPL-3.0-or-later
"""A trace on the real kernel, by the trace build: what tshark shows of it, and what it leaves of the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

from tests.probes import requires, requires_bpf

from .conftest import Places
from .netns import Factory
from .scrubber_attached import attach, built, quiet_veth
from .traced_here import shown, traced_frames

pytestmark = [requires_bpf, requires("clang", "ethtool", "tshark", "libpcap")]

DOCUMENT = {
    "customers_v4": [{"prefix": "203.0.113.0/24", "customer": 601, "policy": 1121}],
    "policies": [{"policy": 1121, "countermeasures": ["connections"]}],
}
SLIDE = {"ipv4": {"destination": "203.0.113.7"}, "tcp": {"destination": 443, "flags": ["ack"]}, "length": 535}
COMMENT = "cus: 601, pol: 1121, mitigation: cm_cs, verdict: [DROP]"


def test_a_packet_that_a_countermeasure_drops_is_shown_with_its_verdict(
    namespaces: Factory, places: Places, tmp_path: Path
) -> None:
    veth, file = quiet_veth(namespaces), tmp_path / "trace.pcapng"

    def on_node() -> Dict[str, Any]:
        attach(veth, DOCUMENT)
        return traced_frames(veth, file, built(SLIDE))

    result = veth.node.run(on_node)
    print(result)
    fields = ("frame.comment", "frame.interface_name", "frame.interface_queue", "frame.packet_flags", "frame.len")
    assert shown(file, *fields, "frame.cap_len", "frame.verdict.ebpf_xdp") == [
        [COMMENT, "scrubber@trace", "0", "0x00000001", "535", "535", "1"]
    ]
