# SPDX-License-Identifier: GPL-3.0-or-later
"""Three virtual machines: three NIC drivers on three kernels."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Iterator, List

from tests import lab
from tests.lab import inventory
from tests.lab.spec import NodeSpec, parse_node

from . import say
from .fleet import RINGS, Fleet, Member

NODES = ("demo-igb=6.1:igb", "demo-virtio=6.12:virtio:queues=4:rss=on", "demo-vmxnet3=newest:vmxnet3")
RATE = 400.0  # frames a second into each: an emulated NIC takes them without loss even when the processors are busy


@contextlib.contextmanager
def in_machines() -> Iterator[Fleet]:
    say.line("Starting virtual machines. The first time builds their image and boots each once; later ones just wake.")
    lab.install()
    image = lab.build()
    lab.remove_orphans(image)
    started: List[lab.Node] = []

    def start(spec: NodeSpec) -> None:
        nics = [str(nic) for nic in spec.nics]
        started.append(lab.start(image, spec.name, spec.kernel, nics, owner=lab.this_process()))

    try:
        with ThreadPoolExecutor(len(NODES)) as pool:
            for done in [pool.submit(start, parse_node(text)) for text in NODES]:
                done.result()
        nodes = sorted(started, key=lambda node: node.name)
        yield Fleet(
            [Member(node, RATE, RINGS) for node in nodes], {node.name: inventory.variables(node) for node in nodes}
        )
    finally:
        for node in started:
            node.remove()
