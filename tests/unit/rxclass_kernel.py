# SPDX-License-Identifier: GPL-3.0-or-later
"""The ioctls of classification rules as net/ethtool/ioctl.c and a driver answer them, byte by byte."""

from __future__ import annotations

import errno
import struct
from typing import Callable, Dict, List, Optional

from wirespeed.errors import KernelRefusal, NotSupported

RXNFC = struct.Struct("=IIQI52s20s52s20s4xQI4xI4x")
"""struct ethtool_rxnfc on x86-64: 192 bytes, rule_locs at 188."""

ANY = 0xFFFFFFFF
COMMANDS = {0x2D: "rings", 0x2E: "count", 0x2F: "one", 0x30: "all", 0x31: "delete", 0x32: "insert"}


class RuleKernel:
    """``refuses`` gets the fields of a rule to insert, and gives an errno or None. ``calls`` has every command."""

    def __init__(self, size: int = 16, special: bool = False, rings: int = 4, supported: bool = True) -> None:
        self.size, self.special, self.rings, self.supported = size, special, rings, supported
        self.rules: Dict[int, tuple] = {}
        self.calls: List[str] = []
        self.refuses: Callable[[tuple], Optional[int]] = lambda fields: None

    def __call__(self, name: str, command: str, data: bytes) -> bytes:
        assert len(data) >= RXNFC.size
        fields = list(RXNFC.unpack_from(data))
        what = COMMANDS[fields[0]]
        self.calls.append(what)
        if not self.supported:
            raise NotSupported(f"ethtool {command} {name}")
        tail = getattr(self, f"_{what}")(fields, command)
        return RXNFC.pack(*fields)[:188] + (tail or bytes(4))

    def _rings(self, fields: list, command: str) -> None:
        fields[2] = self.rings

    def _count(self, fields: list, command: str) -> None:
        fields[2] = 0x80000000 | self.size if self.special else 0
        fields[-1] = len(self.rules)

    def _all(self, fields: list, command: str) -> bytes:
        if fields[-1] < len(self.rules):
            raise KernelRefusal(command, errno.EMSGSIZE)
        fields[2], fields[-1] = self.size, len(self.rules)
        # Drivers keep no order: igb lists by location, mlx5 by priority.
        return struct.pack(f"={len(self.rules)}I", *reversed(list(self.rules)))

    def _one(self, fields: list, command: str) -> None:
        location = fields[-2]
        if location not in self.rules:
            raise KernelRefusal(command, errno.ENOENT)
        fields[3:] = self.rules[location]

    def _insert(self, fields: list, command: str) -> None:
        code = self.refuses(tuple(fields[3:]))
        if code is None and len(self.rules) >= self.size:
            code = errno.ENOSPC
        if code is None and (fields[-2] == ANY) is not self.special:
            code = errno.EINVAL
        if code is not None:
            raise KernelRefusal(command, code)
        if self.special:
            fields[-2] = next(place for place in range(100, 200) if place not in self.rules)
        self.rules[fields[-2]] = tuple(fields[3:])

    def _delete(self, fields: list, command: str) -> None:
        if self.rules.pop(fields[-2], None) is None:
            raise KernelRefusal(command, errno.ENOENT)
