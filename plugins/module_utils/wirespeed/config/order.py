# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings packed rows into a table's order, and finds keys that stand twice.

The order makes a digest the same whatever the text's order, and a trie that is filled by address takes a third of the
time. A key is taken apart into columns of one byte each, the most significant first: a strided slice moves a million
bytes in a millisecond, while a Python object for each row takes 100 times that.
"""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

from .packed import Packed
from .row_sort import sort

Columns = Sequence[bytes]


class Twice(ValueError):
    """``pairs`` are numbers of rows, from 0, that have the same key: a later one, and the first one with it."""

    def __init__(self, pairs: Sequence[Tuple[int, int]]) -> None:
        super().__init__("the same key twice")
        self.pairs = pairs


def arranged(packed: Packed, significance: Sequence[int], most_pairs: int) -> Packed:
    """``significance`` are offsets of bytes in a key; bytes that it leaves out are zero in all keys.

    Raises :class:`Twice`, naming so many pairs at most.
    """
    count, width = packed.count, packed.value_size
    zeros = bytes(count)
    keys = [bytes(packed.keys[at :: packed.key_size]) for at in significance]
    uniform = bytes(packed.values[:width]) * count == packed.values
    columns = keys if uniform else [*keys, *(bytes(packed.values[at::width]) for at in range(width))]
    columns = _sorted(columns, zeros)
    if _same_neighbours(columns[: len(keys)]):
        raise Twice(_pairs(packed, most_pairs))
    spread = dict(zip(significance, columns))
    values = bytes(packed.values) if uniform else interleaved(columns[len(keys) :])
    return Packed(packed.key_size, width, interleaved([spread.get(at, zeros) for at in range(packed.key_size)]), values)


def interleaved(columns: Columns) -> bytes:
    """Rows, one behind the other, of columns of one byte each."""
    return bytes(_rows(columns))


def _rows(columns: Columns) -> bytearray:
    found = bytearray(len(columns) * len(columns[0]))
    for place, column in enumerate(columns):
        found[place :: len(columns)] = column
    return found


def _sorted(columns: Columns, zeros: bytes) -> List[bytes]:
    """By the first column, then the next."""
    telling = [column for column in columns if column != zeros]
    if not telling:
        return list(columns)
    rows = sort(_rows(telling), len(telling))
    found = iter([bytes(rows[at :: len(telling)]) for at in range(len(telling))])
    return [column if column == zeros else next(found) for column in columns]


def _same_neighbours(columns: Columns) -> bool:
    """Whether any row has the bytes of the row before it: of two rows that differ, some column does."""
    count = len(columns[0])
    differ = 0
    for column in columns:
        differ |= int.from_bytes(column[1:], "big") ^ int.from_bytes(column[:-1], "big")
    return count > 1 and 0 in differ.to_bytes(count - 1, "big")


def _pairs(packed: Packed, most: int) -> List[Tuple[int, int]]:
    first: Dict[bytes, int] = {}
    found: List[Tuple[int, int]] = []
    for number, (key, dummy) in enumerate(packed.items()):
        if first.setdefault(key, number) != number:
            found.append((number, first[key]))
            if len(found) == most:
                break
    return found
