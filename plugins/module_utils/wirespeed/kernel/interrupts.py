# SPDX-License-Identifier: GPL-3.0-or-later
"""The message-signalled interrupts of a NIC, by queue, and where they are delivered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Set

from ..errors import NotSupported
from .cpus import list_text
from .host import cpu_list
from .netdev_sysfs import folder, read, write
from .port import Port

_IRQ = Path("/sys/kernel/irq")
_PROC = Path("/proc/irq")

_QUEUE = re.compile(
    r"(?:^|[-_.@])(?:"
    r"(?:tx-?rx|rx-?tx|rx|tx|fp)-?(\d+)"  # igb igc ixgbe i40e ice bnxt ena vmxnet3 nfp qede tg3 sfc
    r"|(?:input|output)\.(\d+)"  # virtio_net
    r"|comp(\d+)"  # mlx5
    r"|mlx4-(\d+)"
    r"|q(\d+)"  # mana
    r"|(?:ntfy-blk|blk)(\d+)"  # gve
    r")(?:@|$|[^\w])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Vector:
    irq: int
    name: str


def queues(port: Port) -> List[List[Vector]]:
    """The vectors of each queue, in the order of the queues; one for receiving and one for sending where
    the driver keeps them apart.

    Vectors that are no queue's (link changes, the firmware's events) are left out. Raises
    :class:`NotSupported` for a NIC without any (virtual, or on a bus that is not PCI).
    """
    vectors = _vectors(port)
    own = [vector for vector in vectors if port.name in vector.name] or vectors
    found: Dict[int, List[Vector]] = {}
    for vector in own:
        queue = queue_of(port.name, vector.name)
        if queue is not None:
            found.setdefault(queue, []).append(vector)
    if not found:
        raise NotSupported(f"sysfs msi_irqs of {port.name} (no interrupt of a queue)")
    return [found[queue] for queue in sorted(found)]


def queue_of(ifname: str, name: str) -> "int | None":
    """The number in an interrupt's name, as the drivers of Linux 6.1 to 7.2 write it; None for other names."""
    match = _QUEUE.search(name) or re.fullmatch(re.escape(ifname) + r"-(\d+)", name)  # sfc: eth0-3
    return next((int(number) for number in match.groups() if number is not None), None) if match else None


def affinity(vector: Vector) -> Set[int]:
    return cpu_list(read(_PROC / str(vector.irq) / "smp_affinity_list"))


def serving(vector: Vector) -> Set[int]:
    """The CPUs that take it now: of those that may, the ones that the interrupt controller was told."""
    try:
        return cpu_list(read(_PROC / str(vector.irq) / "effective_affinity_list")) or affinity(vector)
    except NotSupported:
        return affinity(vector)


def set_affinity(vector: Vector, cpus: Set[int]) -> None:
    """Refused with EIO where the kernel places the interrupt itself (a managed one)."""
    write(_PROC / str(vector.irq) / "smp_affinity_list", list_text(cpus))


def _vectors(port: Port) -> List[Vector]:
    """A virtio device has no vectors of its own: those of the PCI function below it are meant."""
    device = folder(port) / "device"
    for listing in (device / "msi_irqs", device / ".." / "msi_irqs"):
        if listing.is_dir():
            return [Vector(irq, _name(irq)) for irq in sorted(int(entry.name) for entry in listing.iterdir())]
    raise NotSupported(f"sysfs msi_irqs of {port.name} (no message-signalled interrupts)")


def _name(irq: int) -> str:
    """Empty for a vector that nobody has requested."""
    try:
        return read(_IRQ / str(irq) / "actions")
    except NotSupported:
        return ""
