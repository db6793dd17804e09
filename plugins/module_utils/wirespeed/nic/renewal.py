# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for an interface that its driver has deleted and made again.

It comes back under a name of the kernel's, down, and with another index; udev then gives it its name
and the settings of its .link file. So it is known by its device, and ready when udev has dealt with it.
"""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import List

from ..errors import KernelRefusal, WirespeedError
from ..kernel import rtnetlink
from ..kernel.devlink_netlink import Device
from ..kernel.rtnetlink import Link

PATIENCE = 30.0
"""Seconds. udev takes milliseconds; firmware that starts anew takes up to ten seconds."""

_LOOK_AGAIN = 0.05
_UDEV = Path("/run/udev")


def is_up(interface: str) -> bool:
    found = _named(interface)
    return bool(found and found[0].up)


def index_of(interface: str) -> int:
    """0 where there is none."""
    found = _named(interface)
    return found[0].ifindex if found else 0


def wait_for(device: Device, interface: str, up: bool, patience: float = PATIENCE) -> None:
    """Until ``device`` has an interface of that name again and udev is done with it; then sets it ``up``.

    Raises :class:`WirespeedError` that says what came back instead when ``patience`` seconds are over.
    """
    deadline = time.monotonic() + patience
    while True:
        here = [link for link in rtnetlink.links() if (link.parent_bus, link.parent_name) == (device.bus, device.name)]
        ready = [link for link in here if link.name == interface]
        late = time.monotonic() >= deadline
        if ready and (late or _known_to_udev(ready[0])):
            break
        if late:
            raise _lost(device, interface, here)
        time.sleep(_LOOK_AGAIN)
    if up:
        rtnetlink.set_up(ready[0].port)


def _known_to_udev(link: Link) -> bool:
    """udev keeps a record of every interface that it has dealt with, by index. Where it does not run, none waits."""
    return not (_UDEV / "control").exists() or (_UDEV / "data" / f"n{link.ifindex}").exists()


def _lost(device: Device, interface: str, here: List[Link]) -> WirespeedError:
    names = ", ".join(link.name for link in here)
    if not names:
        return WirespeedError(
            f"{device} started anew, but {interface} did not come back, nor did any other interface of it.",
            "See the kernel log for what the driver says.",
        )
    return WirespeedError(
        f"{device} started anew, but its interface came back as {names}, not as {interface}.",
        f"Have udev give it the name {interface} (a .link file), or use the name that it gets by itself.",
    )


def _named(interface: str) -> List[Link]:
    try:
        return [rtnetlink.link_named(interface)]
    except KernelRefusal as error:
        if error.code == errno.ENODEV:
            return []
        raise
