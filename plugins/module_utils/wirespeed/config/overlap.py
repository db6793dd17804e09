# SPDX-License-Identifier: GPL-3.0-or-later
"""Prefixes of a trie that lie within others of the same table."""

from __future__ import annotations

from typing import Iterator, Optional, Tuple

from .packed import Packed
from .prefixes import LENGTH


def covered(packed: Packed, most: int) -> Iterator[Tuple[bytes, bytes]]:
    """Keys of the inner and the outer prefix, so many pairs at most. ``packed`` is in a trie's order.

    In that order a prefix that holds any other one holds its successor, so neighbours are enough to find out; the
    pairs are of each prefix and the nearest before it that is not itself inside.
    """
    bits = (packed.key_size - LENGTH.size) * 8
    outer: Optional[Tuple[int, int, bytes]] = None
    for key, dummy in packed.items():
        length, data = LENGTH.unpack_from(key)[0], int.from_bytes(key[LENGTH.size :], "big")
        if outer is None or length < outer[0] or (data ^ outer[1]) >> (bits - outer[0]):
            outer = length, data, key
            continue
        yield key, outer[2]
        most -= 1
        if not most:
            return
