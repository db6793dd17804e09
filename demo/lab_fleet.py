# SPDX-License-Identifier: GPL-3.0-or-later
"""Three virtual machines: three NIC drivers on three kernels."""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Iterator

from tests.lab import image, snapshot
from tests.lab.node import Node, remove_orphans
from tests.lab.spec import parse_node
from tests.lab.ssh import OPTIONS

from . import say
from .fleet import RINGS, Fleet, Member

NODES = ("demo-igb=6.1:igb", "demo-virtio=6.12:virtio:queues=4:rss=on", "demo-vmxnet3=newest:vmxnet3")
RATE = 1000.0  # frames a second into each: an emulated NIC on two shared processors takes them without loss


@contextlib.contextmanager
def in_machines() -> Iterator[Fleet]:
    say.line("Virtual machines: the first time builds their image and boots each once; later ones wake in seconds.")
    base = image.build()
    remove_orphans(base)
    specs = [parse_node(text) for text in NODES]
    nodes = [Node(spec.name, base, owner=os.getpid()) for spec in specs]
    try:
        with ThreadPoolExecutor(len(nodes)) as pool:
            starts = [pool.submit(snapshot.start, node, spec.kernel, spec.nics) for node, spec in zip(nodes, specs)]
            for start in starts:
                start.result()
        members = [Member(node, RATE, RINGS) for node in nodes]
        yield Fleet(members, {node.name: _host(node) for node in nodes})
    finally:
        for node in nodes:
            node.remove()


def _host(node: Node) -> Dict[str, Any]:
    return {
        "ansible_host": "127.0.0.1",
        "ansible_port": node.port,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(node.image.ssh_key),
        "ansible_ssh_common_args": " ".join(OPTIONS),
        "ansible_python_interpreter": "/usr/bin/python3",
    }
