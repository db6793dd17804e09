# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of the demo: virtual machines with three NIC drivers on three kernels, or one network namespace."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Any, ContextManager, Dict, Iterator, List, Sequence, Union

from tests.lab.node import Node
from tests.netns_node import inventory
from tests.netns_node.node import NetnsNode
from tests.netns_node.node import node as namespace_node

AnyNode = Union[Node, NetnsNode]


@dataclass(frozen=True)
class Tampering:
    """A setting that somebody changes by hand: ``command`` on the NIC, and the path that drift must name."""

    command: str
    show: str
    path: str


RINGS = Tampering("ethtool -G {nic} rx 512", "ethtool -g {nic}", "{nic}.rings.rx")
CHANNELS = Tampering("ethtool -L {nic} rx 2", "ethtool -l {nic}", "{nic}.channels.rx")


@dataclass(frozen=True)
class Member:
    """A node with what the demo has to know about it. ``rate``: frames a second that it takes without loss."""

    node: AnyNode
    rate: float
    tampering: Tampering

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def nic(self) -> str:
        return self.node.nics[0].interface

    @property
    def mac(self) -> str:
        return self.node.nics[0].mac


@dataclass(frozen=True)
class Fleet:
    members: Sequence[Member]
    hosts: Dict[str, Dict[str, Any]]

    def leftovers(self) -> List[str]:
        return [f"{member.name}: {left}" for member in self.members for left in member.node.leftovers()]


Opened = ContextManager[Fleet]


@contextlib.contextmanager
def in_namespace() -> Iterator[Fleet]:
    """One node: a veth pair in a network namespace of this kernel."""
    with namespace_node(f"demo-{os.getpid()}") as made:
        yield Fleet([Member(made, 5000.0, CHANNELS)], {made.name: inventory.host(made)})
