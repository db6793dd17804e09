# SPDX-License-Identifier: GPL-3.0-or-later
"""A node with eight veth NICs of many queues each, reached by real SSH."""

from __future__ import annotations

import contextlib
from typing import Iterator, List

from tests.lab.process import run
from tests.netns_node.node import NetnsNode
from tests.netns_node.node import node as namespace_node

QUEUES = 32
NICS = [f"ws{number}" for number in range(8)]


@contextlib.contextmanager
def eight_nics() -> Iterator[NetnsNode]:
    with namespace_node("bench", QUEUES) as node:
        for number in range(1, len(NICS)):
            _cable(node, number)
        yield node


def _cable(node: NetnsNode, number: int) -> None:
    shape = ["numrxqueues", str(QUEUES), "numtxqueues", str(QUEUES)]
    far = f"wire{number}"
    add = ["link", "add", NICS[number], *shape, "type", "veth", "peer", "name", far, *shape, "netns"]
    run("ip", "-n", node.namespace, *add, node.wire_namespace)
    run("ip", "-n", node.namespace, "link", "set", NICS[number], "up")
    run("ip", "-n", node.wire_namespace, "link", "set", far, "up")


def inside(node: NetnsNode) -> List[str]:
    """The start of a command that runs in the node without SSH."""
    return ["nsenter", "--target", str(node.init), "--mount", "--net", "--pid", "--uts", "--"]
