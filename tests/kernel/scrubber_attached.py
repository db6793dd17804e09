# SPDX-License-Identifier: GPL-3.0-or-later
"""A scrubber on a veth that frames are sent through; what it counted of them."""

from __future__ import annotations

import functools
import select
import struct
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from tests.pipelines import scrubber
from wirespeed.config.tables import canonical
from wirespeed.errors import Place
from wirespeed.kernel.bpf_map import BpfMap
from wirespeed.model.nic import XdpMode
from wirespeed.model.row import row_text
from wirespeed.pipeline import instance
from wirespeed.pipeline.packet import frame
from wirespeed.pipeline.source import PipelineSource

from . import netns
from .frames import send
from .netns import Factory, Veth
from .pipelines_here import Node, attach_step, configure_step, load_step, publish_step

NAME = "scrubber"
_SEEN = struct.Struct("=QQ")


@functools.cache
def attached_scrubber() -> PipelineSource:
    """With all that it can do."""
    return scrubber().with_constants({"with_outbound": True})


def quiet_veth(namespaces: Factory) -> Veth:
    """One queue, so that frames stay in order, and nothing on it but what a test sends."""
    veth = namespaces.veth()
    for where, name in ((veth.node, veth.ifname), (veth.wire, veth.wire_ifname)):
        netns.command("ip", "-netns", where.name, "link", "set", name, "multicast", "off")
        where.command("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
        where.command("ethtool", "-K", name, "gro", "on", "tx", "off")
    return veth


def attach(veth: Veth, document: Mapping[str, List[Any]], mode: XdpMode = XdpMode.NATIVE) -> None:
    """Loads, fills, publishes and attaches; within the node's namespace."""
    source = attached_scrubber()
    node = Node(source)
    texts = {name: [row if isinstance(row, str) else row_text(row) for row in rows] for name, rows in document.items()}
    wanted = {name: rows for name, rows in canonical(source.tables, texts, Place("test")).items() if rows}
    node.do(load_step(source), *(configure_step(source, name, rows) for name, rows in wanted.items()))
    node.do(publish_step(NAME, None, source.generation), attach_step(veth.ifname, NAME, mode))


def counts() -> Dict[str, int]:
    """Packets of each verdict that had any; within the node's namespace."""
    source = attached_scrubber()
    found = zip(source.manifest.verdicts, Node().verdicts(source))
    return {verdict.name: packets for verdict, (packets, dummy) in found if packets}


def passed_through(veth: Veth, frames: Sequence[bytes]) -> Dict[str, int]:
    """What was counted when all ``frames`` had been judged; within the node's namespace."""
    before = sum(counts().values())
    sent = veth.wire.run(send, veth.wire_ifname, frames)
    while sum(counts().values()) < before + sent:
        select.select([], [], [], 0.001)
    return counts()


def age_flows(seconds: float) -> int:
    """As if all flows had last been seen so much earlier; how many there are."""
    with open_map("flows") as found:
        for key, value in list(found.items()):
            seen, state = _SEEN.unpack(value)
            found.update(key, _SEEN.pack(seen - int(seconds * 1e9), state))
        return len(list(found.items()))


def forget(name: str) -> None:
    """All that a map of state holds."""
    with open_map(name) as found:
        found.delete_many([key for key, dummy in found.items()])


def open_map(name: str) -> BpfMap:
    return instance.open_map(Node().paths, NAME, attached_scrubber().generation, name)


def built(packet: Mapping[str, Any], times: int = 1) -> List[bytes]:
    return [frame(packet, "packet")] * times


Scenario = Tuple[Dict[str, List[Any]], List[bytes], Dict[str, int]]
"""Document, frames, and what must have been counted."""
