# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs a table's rows by whole columns. Row by row is gone only through a piece in which something is wrong."""

from __future__ import annotations

from typing import List, Tuple

from ..errors import BadInput
from .fields.field import shown
from .given import Chunk, Rows, Texts
from .mistakes import MOST, Found
from .order import Twice, arranged
from .overlap import covered
from .packed import Packed
from .records import BadField
from .row_mistakes import RowMistake, tell
from .tables import RECORDS, Table


def packed(table: Table, rows: Rows, found: Found) -> Packed:
    """The rows in order, or none where some are wrong: those are added to ``found``.

    Reading ends as soon as there are more rows than the map can hold, so that what is held is bounded by its size.
    """
    keys, values = bytearray(), bytearray()
    nothing, clean, first = Packed(table.key_size, len(table.value)), len(found), 0
    for chunk in rows.chunks():
        more_keys, more_values = _piece(table, rows, chunk, first, found)
        keys += more_keys
        values += more_values
        first += len(chunk)
        if first > table.max_entries:
            found.add(_too_many(table, rows))
            break
    if len(found) > clean:
        return nothing
    return _ordered(table, rows, Packed(table.key_size, len(table.value), bytes(keys), bytes(values)), found)


def _piece(table: Table, rows: Rows, chunk: Chunk, first: int, found: Found) -> Tuple[bytes, bytes]:
    if isinstance(chunk, Texts):
        if not chunk.names and table.kind == RECORDS:
            problem = f"is a plain list, but its rows have the columns {', '.join(table.names)}."
            raise BadInput(rows.whole, f"table {table.name}", problem, "Give CSV or JSON Lines.")
        try:
            return table.bulk(chunk.names, chunk.cells)
        except ValueError:
            pass
    entries: List[Tuple[bytes, bytes]] = []
    mistakes: List[RowMistake] = []
    for number, row in enumerate(chunk, start=first):
        try:
            entries.append(table.entry(row))
        except BadField as error:
            mistakes.append(RowMistake(number, str(error), error.column))
        except ValueError as error:
            mistakes.append(RowMistake(number, f"{shown(row)} {error}"))
        if len(mistakes) > MOST:
            break
    tell(table.name, rows, mistakes, found)
    return b"".join(key for key, dummy in entries), b"".join(value for dummy, value in entries)


def _ordered(table: Table, rows: Rows, given: Packed, found: Found) -> Packed:
    try:
        ordered = arranged(given, table.codec.significance, MOST + 1)
    except Twice as twice:
        told = [
            RowMistake(later, f"{_key(table, given, later)} is also the key of", "", "Remove one of them.", earlier)
            for later, earlier in twice.pairs
        ]
        tell(table.name, rows, told, found)
        return given
    pairs = list(covered(ordered, MOST + 1)) if table.overlap_refused else []
    if pairs:
        numbers = {key: number for number, (key, dummy) in enumerate(given.items())}
        remedy = f"Remove one of them; the manifest says maps.{table.name}.overlap: refuse."
        told = [
            RowMistake(numbers[inner], f"{table.codec.decode(inner)} lies within", "", remedy, numbers[outer])
            for inner, outer in pairs
        ]
        tell(table.name, rows, told, found)
    return ordered


def _key(table: Table, given: Packed, number: int) -> str:
    """Canonically."""
    return table.codec.decode(bytes(given.keys[number * given.key_size : (number + 1) * given.key_size]))


def _too_many(table: Table, rows: Rows) -> BadInput:
    return BadInput(
        rows.whole,
        f"table {table.name}",
        f"has more than the {table.max_entries} rows that its map holds.",
        f"Raise maps.{table.name}.max_entries in the manifest, or give fewer rows.",
    )
