# SPDX-License-Identifier: GPL-3.0-or-later
"""Several nodes at once: what the demo, the tests and the command share."""

from __future__ import annotations

import os
from typing import List, Sequence, Tuple

from . import node as nodes
from . import process, qemu, snapshot
from .errors import LabError
from .image import Image
from .node import Node
from .spec import NicSpec, NodeSpec, check_name, parse_nic

NODE_FORM = "NAME=KERNEL:NIC[,NIC...]"


def this_process() -> Tuple[int, int]:
    """Identity of the calling process, for nodes that must not outlive it."""
    pid = os.getpid()
    return pid, process.started_at(pid) or 0


def start(
    image: Image,
    name: str,
    kernel: str,
    nics: Sequence[str],
    *,
    cold: bool = False,
    owner: Tuple[int, int] = (0, 0),
    size: qemu.Machine = qemu.Machine(),
) -> Node:
    """A fresh node, SSH-ready. `nics` as `spec.parse_nic` reads them.

    Restored from a saved machine of its kind (about a second) unless `cold`, which boots (10 to 20 seconds under TCG).
    When it cannot be started nothing of it is left but the copied consoles that LabError names.
    """
    check_name(name)
    specs: Tuple[NicSpec, ...] = tuple(parse_nic(nic) for nic in nics)
    node = Node(name, image, owner=owner, size=size)
    try:
        if cold:
            node.create()
            node.boot(kernel, specs)
        else:
            snapshot.start(node, kernel, specs)
    except BaseException:
        node.remove()
        raise
    return node


def bring_up(image: Image, wanted: NodeSpec, fresh: bool = False, cold: bool = False) -> Tuple[Node, str]:
    """(node, what was done). A node that runs as wanted stays; one with a disk boots from it, unless `fresh`.

    A disk over an older image is not booted: its modules may not be those of the kernel that it would get.
    """
    present = nodes.load(wanted.name, image)
    if present and present.alive:
        if (present.kernel, present.nic_specs) == (wanted.kernel, wanted.nics) and not fresh:
            return present, "already up"
        raise LabError(
            f"Node {wanted.name} is up with kernel {present.kernel} and "
            f"{','.join(map(str, present.nic_specs))}; take it down first."
        )
    if present and not fresh and present.disk.exists() and present.image.key == image.key:
        present.boot(wanted.kernel, wanted.nics)
        return present, "booted from its disk"
    node = start(image, wanted.name, wanted.kernel, [str(nic) for nic in wanted.nics], cold=cold)
    return node, "booted" if cold else "started"


def running(image: Image) -> List[Node]:
    return [node for node in nodes.everyone(image) if node.alive]


def find(image: Image, name: str) -> Node:
    """A running node by name. LabError when there is none."""
    node = nodes.load(name, image)
    if node is None or not node.alive:
        others = ", ".join(other.name for other in running(image)) or "none"
        raise LabError(f"No node `{name}` is running; running: {others}.")
    return node
