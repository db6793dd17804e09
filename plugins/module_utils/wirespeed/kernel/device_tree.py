# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a NIC sits in the machine, read from udev's device tree through pyudev."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Optional

from ..errors import MissingPrerequisite
from ..model.nic import PciIdentity


@dataclass(frozen=True)
class Place:
    """``address`` is the PCI function's (``0000:01:00.0``); ``numa_node`` is -1 where none is named."""

    pci: Optional[PciIdentity]
    address: str
    numa_node: int


NOWHERE = Place(None, "", -1)


def place(bus: str, name: str) -> Place:
    """The PCI function that is, or carries, the device ``name`` on ``bus`` (a virtio device sits below one)."""
    try:
        import pyudev
    except ImportError:
        raise MissingPrerequisite(
            "The Python library pyudev is missing.", "Install the package python3-pyudev."
        ) from None
    try:
        device = pyudev.Devices.from_name(pyudev.Context(), bus, name)
    except pyudev.DeviceNotFoundError:
        return NOWHERE
    function = device if device.subsystem == "pci" else device.find_parent("pci")
    if function is None:
        return Place(None, "", _number(device, "numa_node", -1))
    return Place(_identity(function), function.sys_name, _number(function, "numa_node", -1))


def properties(name: str, ifindex: int) -> Dict[str, str]:
    """What udev knows of an interface (``ID_NET_LINK_FILE`` ...); nothing where sysfs shows another of that name."""
    try:
        import pyudev
    except ImportError:
        return {}
    try:
        found = dict(pyudev.Devices.from_name(pyudev.Context(), "net", name).properties)
    except pyudev.DeviceNotFoundError:
        return {}
    return found if found.get("IFINDEX") == str(ifindex) else {}


def _identity(device: Any) -> PciIdentity:
    return PciIdentity(
        vendor=_id(device, "vendor"),
        device=_id(device, "device"),
        subsystem_vendor=_id(device, "subsystem_vendor"),
        subsystem_device=_id(device, "subsystem_device"),
        link_speed=_speed(device, "current_link_speed"),
        link_width=_number(device, "current_link_width", 0),
        max_link_speed=_speed(device, "max_link_speed"),
        max_link_width=_number(device, "max_link_width", 0),
    )


def _text(device: Any, attribute: str) -> str:
    raw = device.attributes.get(attribute)
    return raw.decode("ascii", "replace").strip() if raw else ""


def _id(device: Any, attribute: str) -> str:
    """``0x8086`` -> ``8086``."""
    return _text(device, attribute)[2:].lower()


def _number(device: Any, attribute: str, unknown: int) -> int:
    text = _text(device, attribute)
    return int(text) if re.fullmatch(r"-?\d+", text) else unknown


def _speed(device: Any, attribute: str) -> float:
    """``8.0 GT/s PCIe`` -> 8.0; ``Unknown`` -> 0.0. A link that has none says 255 lanes or Unknown."""
    found = re.match(r"\d+(\.\d+)?", _text(device, attribute))
    return float(found.group()) if found else 0.0
