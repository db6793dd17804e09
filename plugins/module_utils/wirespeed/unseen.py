# SPDX-License-Identifier: GPL-3.0-or-later
"""A NIC and its node of which no more is known than a driver and a kernel."""

from __future__ import annotations

import platform
import re
from dataclasses import replace
from typing import Optional

from .errors import BadInput, Place
from .model.nic import Nic
from .model.node import Kernel, Node

NIC = Nic(name="", ifindex=0, mac="", driver="", kind="pci")
NODE = Node(
    hostname="",
    kernel=Kernel("", (0, 0)),
    boot_id="",
    cpus=0,
    cpus_online=0,
    cpus_by_numa={},
    ram_mib=0,
    libbpf="",
    nics={},
)


def nic(driver: str) -> Nic:
    return replace(NIC, driver=driver)


def node(release: Optional[str]) -> Node:
    """``release`` as on the command line; without one, that of this machine. Raises :class:`BadInput`."""
    return replace(NODE, kernel=kernel(release or platform.release()))


def kernel(release: str) -> Kernel:
    found = re.match(r"(\d+)\.(\d+)", release)
    if found is None:
        problem = f"is {release!r}."
        raise BadInput(Place("command line"), "--kernel", problem, "Write two numbers, 6.12 for instance.")
    return Kernel(release, (int(found.group(1)), int(found.group(2))))
