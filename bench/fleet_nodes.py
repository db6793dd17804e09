# SPDX-License-Identifier: GPL-3.0-or-later
"""Many nodes, each with a veth NIC of its own, reached by real SSH: a fleet that grows."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import List, Optional, Type

from tests.netns_node.node import NetnsNode

QUEUES = 4
AT_A_TIME = 4


class Fleet:
    """Its nodes are taken down at the end of the ``with`` body, also those that have not come up."""

    def __init__(self) -> None:
        self.nodes: List[NetnsNode] = []

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(NetnsNode.down, self.nodes))

    def grow(self, size: int) -> List[NetnsNode]:
        """Start as many nodes as are missing; those that were started."""
        new = [NetnsNode(f"fleet-{os.getpid()}-{number}") for number in range(len(self.nodes), size)]
        self.nodes += new
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(lambda node: node.up(QUEUES), new))
        return new

    @property
    def inits(self) -> List[int]:
        return [node.init for node in self.nodes]
