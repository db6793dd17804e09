# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings packed rows into a table's order, and finds keys that stand twice.

The order makes a digest the same whatever the text's order, and a trie that is filled by address takes a third of the
time. Keys are compared by the bytes that count, the most significant first.
"""

from __future__ import annotations

import sys
from array import array
from itertools import islice
from operator import eq, itemgetter, lt
from typing import Any, List, Sequence, Tuple

from .packed import Packed

_LONGEST_FLOAT = 7
_EXPONENT = b"\x40"


class Twice(ValueError):
    """``pairs`` are numbers of rows, from 0, that have the same key: the later one, and the one before it."""

    def __init__(self, pairs: Sequence[Tuple[int, int]]) -> None:
        super().__init__("the same key twice")
        self.pairs = pairs


def arranged(packed: Packed, significance: Sequence[int], most_pairs: int) -> Packed:
    """``significance`` are offsets of bytes in a key. Raises :class:`Twice`, naming so many pairs at most."""
    ranks = _ranks(packed, significance)
    if all(map(lt, ranks, islice(ranks, 1, None))):
        return packed
    order = sorted(range(packed.count), key=ranks.__getitem__)
    ranked = list(map(ranks.__getitem__, order))
    same = list(map(eq, ranked, islice(ranked, 1, None)))
    if any(same):
        pairs = [(order[at + 1], order[at]) for at, is_same in enumerate(same) if is_same]
        raise Twice([(max(pair), min(pair)) for pair in pairs[:most_pairs]])
    return Packed(
        packed.key_size,
        packed.value_size,
        _permuted(packed.keys, packed.key_size, order),
        _permuted(packed.values, packed.value_size, order),
    )


def _ranks(packed: Packed, significance: Sequence[int]) -> List[Any]:
    """For each row something that compares as its key does."""
    if len(significance) <= _LONGEST_FLOAT:
        return _floats(packed, significance)
    width, together = len(significance), bytearray(packed.count * len(significance))
    for place, at in enumerate(significance):
        together[place::width] = packed.keys[at :: packed.key_size]
    return _cells(bytes(together), width)


def _floats(packed: Packed, significance: Sequence[int]) -> List[float]:
    """Positive doubles compare as their bit patterns do, and Python sorts them three times as fast as bytes.

    The key's bytes are those below the exponent's first, which is the same for all and makes none of them infinite.
    """
    together = bytearray(8 * packed.count)
    big = sys.byteorder == "big"
    for place, at in enumerate(significance, start=1):
        together[place if big else 7 - place :: 8] = packed.keys[at :: packed.key_size]
    together[0 if big else 7 :: 8] = _EXPONENT * packed.count
    found = array("d")
    found.frombytes(bytes(together))
    return found.tolist()


def _permuted(data: Any, size: int, order: Sequence[int]) -> bytes:
    if not size or len(order) < 2 or data[:size] * len(order) == data:
        return bytes(data)
    return b"".join(itemgetter(*order)(_cells(bytes(data), size)))


def _cells(data: bytes, size: int) -> List[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]
