# SPDX-License-Identifier: GPL-3.0-or-later
"""What a NIC tells beside its frames: pause frames, and how its bus does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional

from ..errors import KernelRefusal, NotSupported
from ..kernel import ethtool_ioctl
from ..kernel.pause_frames import PauseFrames, pause_frames
from ..kernel.pcie_errors import pcie_errors
from ..kernel.port import Port
from ..model.nic import Nic
from .raw_names import PAUSE, PCIE_STALLS


@dataclass(frozen=True)
class Bus:
    """Since boot, None where it is not told. ``stalled`` in seconds."""

    errors: Optional[int]
    stalled: Optional[int]


def pause(nic: Nic) -> Optional[PauseFrames]:
    """As the kernel's own statistics tell, else the driver's; None where neither does."""
    try:
        return pause_frames(Port(nic.name, nic.ifindex))
    except NotSupported:
        sent, received = PAUSE.get(nic.driver, ("", ""))
        told = _statistics(nic) if sent else {}
        return PauseFrames(told[sent], told[received]) if sent in told and received in told else None


def bus(nic: Nic) -> Bus:
    try:
        errors: Optional[int] = pcie_errors(nic.bus_address if nic.pci else "")
    except (NotSupported, KernelRefusal):
        errors = None
    name = PCIE_STALLS.get(nic.driver)
    return Bus(errors, _statistics(nic).get(name) if name else None)


def _statistics(nic: Nic) -> Dict[str, int]:
    return dict(ethtool_ioctl.statistics(nic.name))
