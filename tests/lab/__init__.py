# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual fleet: real Debian kernels and real NIC drivers in QEMU.

    from tests.lab import build, start, write_inventory
    image = build()                                              # cached; progress on standard error
    node = start(image, "a", "6.12", ["virtio:queues=4:rss=on", "igb"])
    node.out("uname -r")
    with node.wire(0) as wire:
        sent = wire.stream(1000, source="198.51.100.7")          # numbered frames; exactly `sent` were taken
    node.reboot("newest")                                        # same disk
    node.remove()

As a command: `python -m tests.lab --help`. What NICs and nodes are written like: `spec`. Fixtures: `conftest`.
"""

from __future__ import annotations

from . import frames
from .errors import LabError
from .fleet import find, running, start, this_process
from .host import install, missing
from .image import Image, build
from .inventory import write as write_inventory
from .kernels import LABELS as KERNELS
from .node import Node, everyone, remove_orphans
from .wire import Captured, Wire

__all__ = [
    "KERNELS",
    "Captured",
    "Image",
    "LabError",
    "Node",
    "Wire",
    "build",
    "everyone",
    "find",
    "frames",
    "install",
    "missing",
    "remove_orphans",
    "running",
    "start",
    "this_process",
    "write_inventory",
]
