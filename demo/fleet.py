# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of the demo: virtual machines with three NIC drivers on three kernels, or one network namespace."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
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


QUEUES = 4
RINGS = Tampering("ethtool -G {nic} rx 512", "ethtool -g {nic}", "{nic}.rings.rx")
CHANNELS = Tampering("ethtool -L {nic} rx 2", "ethtool -l {nic}", "{nic}.channels.rx")


@dataclass(frozen=True)
class Member:
    """A node with what the demo has to know about it.

    ``rate``: frames a second that it takes without loss. ``tuning``: what the inventory asks beyond the profile.
    """

    node: AnyNode
    rate: float
    tampering: Tampering
    tuning: Dict[str, Any] = field(default_factory=dict)

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
    with namespace_node(f"demo-{os.getpid()}", QUEUES) as made:
        made.ssh(f"ethtool -L {made.nics[0].interface} rx 1 tx 1")  # as the kernel makes a pair that nobody sized
        member = Member(made, 5000.0, CHANNELS, {"channels": {"rx": QUEUES, "tx": QUEUES}})
        yield Fleet([member], {made.name: inventory.host(made)})
