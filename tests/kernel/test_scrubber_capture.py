# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture of an attack, played to a veth: the customer's own packets pass, and all else is counted by its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

from tests.probes import requires, requires_bpf
from tests.scrubber_model import capture
from tests.scrubber_model.judge import Scrubber

from .conftest import Places
from .netns import Factory
from .scrubber_attached import attach, passed_through, quiet_veth

pytestmark = [requires_bpf, requires("clang", "ethtool")]


def test_a_capture_is_judged_frame_by_frame(namespaces: Factory, places: Places) -> None:
    frames, veth = capture.read(capture.ATTACK), quiet_veth(namespaces)
    model = Scrubber(capture.DOCUMENT)
    for frame in frames:
        model.judge(frame)

    def on_node() -> Dict[str, int]:
        attach(veth, capture.DOCUMENT)
        return passed_through(veth, frames)

    assert dict(model.verdicts) == capture.EXPECTED
    assert veth.node.run(on_node) == capture.EXPECTED


def test_the_capture_is_what_its_maker_makes(tmp_path: Path) -> None:
    capture.write(tmp_path / "attack.pcap", capture.attack())
    assert (tmp_path / "attack.pcap").read_bytes() == capture.ATTACK.read_bytes()
