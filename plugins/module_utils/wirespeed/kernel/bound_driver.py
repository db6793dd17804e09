# SPDX-License-Identifier: GPL-3.0-or-later
"""Which module drives an interface's device, and by what the kernel finds that module: from sysfs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bound:
    """``module`` is empty where the driver is inside the kernel, or the interface has no device behind it;
    ``modalias`` is what the kernel looks a module up by (``pci:v00008086d...``), empty without a device."""

    module: str = ""
    modalias: str = ""


def read(interface: str, sysfs: Path = Path("/sys/class/net")) -> Bound:
    device = sysfs / interface / "device"
    try:
        module = os.path.basename(os.readlink(device / "driver" / "module"))
    except OSError:
        module = ""
    try:
        return Bound(module, (device / "modalias").read_text(encoding="ascii").strip())
    except OSError:
        return Bound(module)
