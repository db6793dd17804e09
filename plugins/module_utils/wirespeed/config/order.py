# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings packed rows into a table's order, and finds keys that stand twice.

The order makes a digest the same whatever the text's order, and a trie that is filled by address takes a third of the
time. A key is taken apart into columns of one byte each, the most significant first: a strided slice moves a million
bytes in a millisecond, while a Python object for each row takes 100 times that.
"""

from __future__ import annotations

import sys
from array import array
from functools import partial
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
    found = _sorted(telling, sum(column != zeros for column in keys), count)
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


def _sorted(columns: Columns, of_key: int, count: int) -> Optional[List[bytes]]:
    """By the columns of the key, which are the first ``of_key``. None: they are in order."""
    if of_key >= _DOUBLE:
        return _by_bytes(columns, count)
    doubles = _doubles(columns[:of_key], count)
    if _ascending(doubles):
        return None
    return _of_doubles(sorted(doubles), of_key) if of_key == len(columns) else _by_bytes(columns, count, doubles)


def _doubles(columns: Columns, count: int) -> List[float]:
    """Positive doubles compare as their bit patterns do, and Python sorts them faster than bytes.

    The first byte of the exponent is the same for all, and makes none of them infinite.
    """
    padding = [bytes(count)] * (_DOUBLE - 1 - len(columns))
    rows = [_EXPONENT * count, *columns, *padding]
    numbers = array("d")
    numbers.frombytes(interleaved(rows if sys.byteorder == "big" else rows[::-1]))
    return numbers.tolist()


def _of_doubles(doubles: Sequence[float], width: int) -> List[bytes]:
    raw = array("d", doubles).tobytes()
    places = range(1, width + 1)
    return [raw[place if sys.byteorder == "big" else _DOUBLE - 1 - place :: _DOUBLE] for place in places]


def _by_bytes(columns: Columns, count: int, standing_for: Optional[Sequence[float]] = None) -> Optional[List[bytes]]:
    """By what stands for each row, or by its bytes. None: they are in order."""
    width, together = len(columns), interleaved(columns)
    rows = [together[at : at + width] for at in range(0, width * count, width)]
    if standing_for is not None:
        rows.sort(key=partial(next, iter(standing_for)))
    elif _ascending(rows):
        return None
    else:
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
