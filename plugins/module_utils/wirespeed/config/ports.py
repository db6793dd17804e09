# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of a port set: an array with an element for each port, or a hash map of ports. The canonical row is ``443``.

Programs that take the port out of a packet as it is have keys in network order: xdp-filter's index is
``htons(port)`` in a __u32 (xdp-tools 1.3, xdp-filter/xdpfilt_prog.h).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

from ..kernel.btf import Btf, MapDefinition
from .fields.field import distinct
from .shapes import ARRAYS, HASHES, in_network_order, one_field, unfit

NETWORK = "network"
_PORTS = 1 << 16
_DIGITS = 5
_KEY_SIZES = (2, 4)
_NEEDED = (
    f"A port set is an array (per-CPU too) of {_PORTS} elements, or a hash map (per-CPU and LRU too) whose key is a "
    "port in 2 or 4 bytes."
)


@dataclass(frozen=True)
class PortSet:
    """``key_size`` in bytes; ``swapped`` where a key is the port in network order."""

    key_size: int
    swapped: bool

    def encode(self, row: str) -> bytes:
        """The key. Raises ValueError with half a sentence that says what is wrong with the row."""
        text = row.strip()
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) < _PORTS):
            raise ValueError(f"is no port, which is a number from 0 to {_PORTS - 1}.")
        return self._turned(int(text)).to_bytes(self.key_size, sys.byteorder)

    def decode(self, key: bytes) -> str:
        """The canonical row."""
        return str(self._turned(int.from_bytes(key, sys.byteorder)))

    def order(self, key: bytes) -> Tuple[bytes, int]:
        return b"", self._turned(int.from_bytes(key, sys.byteorder))

    def bulk(self, rows: Sequence[str]) -> bytes:
        """Keys, joined. Raises ValueError for a row that is wrong."""
        return distinct(self.encode, rows)

    @property
    def significance(self) -> Tuple[int, ...]:
        """As ``order`` has it, for the ports that rows can say."""
        big = self.swapped or sys.byteorder == "big"
        low = 0 if self.swapped or sys.byteorder == "little" else self.key_size - 2
        return (low, low + 1) if big else (low + 1, low)

    def _turned(self, number: int) -> int:
        """``htons``, which is its own inverse. What a 4-byte key has above 16 bits is no port and stays."""
        if not self.swapped or number >= _PORTS:
            return number
        return int.from_bytes(number.to_bytes(2, "big"), sys.byteorder)


def codec(definition: MapDefinition, kind: str, btf: Btf, order: Optional[str]) -> PortSet:
    """``order`` None: what the key's type says. Raises :class:`BadInput` for a map of another shape."""
    array = definition.type in ARRAYS and definition.max_entries == _PORTS
    hashed = definition.type in HASHES and definition.key_size in _KEY_SIZES and one_field(definition, btf)
    if not array and not hashed:
        raise unfit(definition, kind, _NEEDED)
    swapped = in_network_order(definition, btf) if order is None else order == NETWORK
    return PortSet(definition.key_size, swapped)
