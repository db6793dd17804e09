# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for the NICs of a stored state: at boot they come one by one, and udev names them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Collection, List, Sequence, Tuple

from .errors import KernelRefusal
from .kernel import arrivals, device_tree, ethtool_binding, rtnetlink
from .kernel.rtnetlink import Link
from .model.stored import Stored, StoredNic


@dataclass(frozen=True)
class Seen:
    """What a selector goes by, and whether the NIC is up."""

    name: str
    mac: str
    driver: str
    pci: str
    up: bool


def wait_for(stored: Stored, seconds: float, up: bool = False) -> Tuple[Seen, ...]:
    """The NICs that are there when all that ``stored`` names are, with ``up`` all of them up, or the time is over."""
    deadline = time.monotonic() + seconds
    with arrivals.Arrivals() as events:
        while True:
            there = _there()
            left = deadline - time.monotonic()
            if left <= 0 or not (missing(stored, there) or (up and down(stored, there))):
                return there
            events.wait(left)


def missing(stored: Stored, there: Sequence[Seen]) -> List[str]:
    """A phrase for each NIC that ``stored`` names and that is not there."""
    found = []
    for nic in stored.nics:
        key, wanted = nic.selector
        expected, count = _expected(nic), len(standing_for(nic, there))
        if count < expected:
            found.append(wanted if key == "name" else f"{key} {wanted} ({count} of {expected})")
    names = [nic.name for nic in there]
    return list(dict.fromkeys([*found, *(target for target in targets(stored) if target not in names)]))


def down(stored: Stored, there: Sequence[Seen]) -> List[str]:
    """The names of those that ``stored`` names and that are there, but not up."""
    return [seen.name for nic in stored.nics for seen in standing_for(nic, there) if not seen.up]


def _expected(nic: StoredNic) -> int:
    """An entry by driver stood for as many as its last run found, which may be none."""
    return len(nic.found) if nic.selector[0] == "driver" else 1


def targets(stored: Stored) -> List[str]:
    return [name for nic in stored.nics for name in nic.entry.get("redirect_to") or ()]


def standing_for(nic: StoredNic, there: Collection[Seen]) -> List[Seen]:
    key, wanted = nic.selector
    if key == "mac":
        return [each for each in there if each.mac.lower() == wanted.lower()]
    return [each for each in there if getattr(each, key) == wanted]


def _there() -> Tuple[Seen, ...]:
    """Without hardware that udev is still at work on: it renames it, and writes settings of its own."""
    ready = [link for link in rtnetlink.links() if not link.parent_bus or arrivals.initialized(link.name)]
    return tuple(seen for link in ready for seen in _seen(link))


def _seen(link: Link) -> List[Seen]:
    """Empty for one that has gone or was renamed meanwhile."""
    try:
        driver, bus = ethtool_binding.identity(link.name)
    except KernelRefusal:
        driver, bus = link.kind, ""
    if not link.parent_bus:
        return [Seen(link.name, link.mac, driver or link.kind, "", link.up)]
    address = device_tree.place(link.parent_bus, link.parent_name).address or bus or link.parent_name
    return [Seen(link.name, link.mac, driver, address, link.up)]
