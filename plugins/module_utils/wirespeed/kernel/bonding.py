# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bond says of itself and of its members, from the attributes that rtnetlink carries beside each link.

Numbers from include/uapi/linux/if_link.h and include/uapi/linux/if_bonding.h, the same in Linux 6.1 to 7.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Dict

KIND = "bond"

_MODE, _UPDELAY, _MIN_LINKS = 1, 4, 18  # IFLA_BOND_
_LACP = 4  # BOND_MODE_8023AD
_MII_STATUS, _ACTOR_STATE = 2, 7  # IFLA_BOND_SLAVE_, the second under LACP only
_LINK_UP = 0  # BOND_LINK_UP
_IN_USE = 0x08 | 0x10 | 0x20  # LACP_STATE_SYNCHRONIZATION, _COLLECTING, _DISTRIBUTING
_TYPE = 0x3FFF  # NLA_TYPE_MASK


@dataclass(frozen=True)
class BondFacts:
    """``updelay`` in seconds; ``min_links`` counts under LACP only (bond_3ad_set_carrier), elsewhere it is 0."""

    min_links: int
    updelay: float


def bond(kind_data: bytes) -> BondFacts:
    found = _attributes(kind_data)
    lacp = _number(found.get(_MODE, b"")) == _LACP
    return BondFacts(_number(found.get(_MIN_LINKS, b"")) if lacp else 0, _number(found.get(_UPDELAY, b"")) / 1000)


def in_use(slave_data: bytes) -> bool:
    """Whether the bond's link monitor has the member up, and under LACP whether it collects and distributes."""
    found = _attributes(slave_data)
    if _number(found.get(_MII_STATUS, b"")) != _LINK_UP:
        return False
    return _ACTOR_STATE not in found or _number(found[_ACTOR_STATE]) & _IN_USE == _IN_USE


def _attributes(data: bytes) -> Dict[int, bytes]:
    found: Dict[int, bytes] = {}
    offset = 0
    while offset + 4 <= len(data):
        size, number = struct.unpack_from("=HH", data, offset)
        if size < 4:
            break
        found[number & _TYPE] = data[offset + 4 : offset + size]
        offset += (size + 3) & ~3
    return found


def _number(value: bytes) -> int:
    """In the machine's byte order, whatever its length."""
    formats = {1: "=B", 2: "=H", 4: "=I"}
    return int(struct.unpack(formats[len(value)], value)[0]) if len(value) in formats else 0
