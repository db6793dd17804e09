# SPDX-License-Identifier: GPL-3.0-or-later
"""BTF made by hand (Documentation/bpf/btf.rst), so that a test can have any struct without a compiler."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import List, Mapping, Sequence, Tuple

from wirespeed.kernel import btf as kinds
from wirespeed.kernel.btf import Btf

SIGNED, CHAR, BOOL = 1, 2, 4


@dataclass
class Builder:
    """Each method adds a type and returns its id; sizes in bytes."""

    types: bytearray = field(default_factory=bytearray)
    strings: bytearray = field(default_factory=lambda: bytearray(b"\0"))
    count: int = 0

    def integer(self, name: str, size: int, encoding: int = 0) -> int:
        return self._add(name, kinds.INT, 0, size, struct.pack("<I", encoding << 24 | size * 8))

    def typedef(self, name: str, of: int) -> int:
        return self._add(name, kinds.TYPEDEF, 0, of)

    def array(self, element: int, count: int) -> int:
        return self._add("", kinds.ARRAY, 0, 0, struct.pack("<III", element, 1, count))

    def enum(self, name: str, size: int, names: Mapping[str, int]) -> int:
        tail = b"".join(struct.pack("<Ii", self._string(each), number) for each, number in names.items())
        return self._add(name, kinds.ENUM, len(names), size, tail)

    def struct(self, name: str, members: Sequence[Tuple[str, int, int]], size: int) -> int:
        """``members`` are name, type and offset in bytes."""
        tail = b"".join(struct.pack("<III", self._string(each), kind, at * 8) for each, kind, at in members)
        return self._add(name, kinds.STRUCT, len(members), size, tail)

    def btf(self) -> Btf:
        header = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(self.types), len(self.types), len(self.strings))
        return Btf(header + bytes(self.types) + bytes(self.strings))

    def _add(self, name: str, kind: int, members: int, size: int, tail: bytes = b"") -> int:
        self.types += struct.pack("<III", self._string(name), kind << 24 | members, size) + tail
        self.count += 1
        return self.count

    def _string(self, text: str) -> int:
        if not text:
            return 0
        at = len(self.strings)
        self.strings += text.encode() + b"\0"
        return at


def laid_out(members: Sequence[Tuple[str, int, int]]) -> Tuple[List[Tuple[str, int, int]], int]:
    """Name, type and size of each, as C places them: ``size`` bytes from a multiple of their alignment, 8 at most.

    Returns name, type and offset of each, and the struct's size.
    """
    found, at, widest = [], 0, 1
    for name, kind, size in members:
        step = next(each for each in (8, 4, 2, 1) if size % each == 0)
        at += -at % step
        found.append((name, kind, at))
        at, widest = at + size, max(widest, step)
    return found, at + -at % widest
