# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings packed rows into a table's order, and finds keys that stand twice.

The order makes a digest the same whatever the text's order, and a trie that is filled by address takes a third of the
time. A key is taken apart into columns of one byte each, the most significant first: a strided slice moves a million
bytes in a millisecond, while a Python object for each row takes 100 times that.
"""

from __future__ import annotations

import sys
from array import array
from itertools import islice
from operator import lt
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .packed import Packed

_DOUBLE = 8
_EXPONENT = b"\x40"

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
    telling = [column for column in columns if column != zeros]
    doubles = uniform and len(telling) < _DOUBLE
    found = _by_doubles(telling, count) if doubles else _by_bytes(telling, count)
    if found is not None:
        told = iter(found)
        columns = [zeros if column == zeros else next(told) for column in columns]
    if _same_neighbours(columns[: len(keys)]):
        raise Twice(_pairs(packed, most_pairs))
    if found is None:
        return packed
    spread = dict(zip(significance, columns))
    values = bytes(packed.values) if uniform else interleaved(columns[len(keys) :])
    return Packed(packed.key_size, width, interleaved([spread.get(at, zeros) for at in range(packed.key_size)]), values)


def interleaved(columns: Columns) -> bytes:
    """Rows, one behind the other, of columns of one byte each."""
    found = bytearray(len(columns) * len(columns[0]))
    for place, column in enumerate(columns):
        found[place :: len(columns)] = column
    return bytes(found)


def _by_doubles(columns: Columns, count: int) -> Optional[List[bytes]]:
    """Positive doubles compare as their bit patterns do, and Python sorts them faster than bytes.

    The first byte of the exponent is the same for all, and makes none of them infinite. None: they are in order.
    """
    padding = [bytes(count)] * (_DOUBLE - 1 - len(columns))
    rows = [_EXPONENT * count, *columns, *padding]
    numbers = array("d")
    numbers.frombytes(interleaved(rows if sys.byteorder == "big" else rows[::-1]))
    listed = numbers.tolist()
    if _ascending(listed):
        return None
    listed.sort()
    raw = array("d", listed).tobytes()
    places = range(1, len(columns) + 1)
    return [raw[place if sys.byteorder == "big" else _DOUBLE - 1 - place :: _DOUBLE] for place in places]


def _by_bytes(columns: Columns, count: int) -> Optional[List[bytes]]:
    """None: they are in order."""
    if not columns:
        return None
    width, together = len(columns), interleaved(columns)
    rows = [together[at : at + width] for at in range(0, width * count, width)]
    if _ascending(rows):
        return None
    rows.sort()
    together = b"".join(rows)
    return [together[at::width] for at in range(width)]


def _ascending(rows: Sequence[Any]) -> bool:
    return all(map(lt, rows, islice(rows, 1, None)))


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
