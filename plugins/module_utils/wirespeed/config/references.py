# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that name rows of another table: a policy's customer must be there.

Compared are decoded values, so that the two columns may differ in size or byte order. A value that is the column's
default names nothing.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Iterator, List, Mapping, Sequence, Set, Tuple

from ..errors import BadInput
from ..model.intent import unknown_word
from .columns import KEY, Column, Reference
from .fields.field import shown
from .given import Rows
from .mistakes import MOST, Found
from .packed import Packed
from .record_table import RecordTable
from .row_mistakes import RowMistake, tell
from .shapes import MANIFEST
from .tables import Table


def check_declared(tables: Mapping[str, Table]) -> None:
    """That what the manifest refers to is there. Raises :class:`BadInput`."""
    for table, column, reference in _references(tables):
        field = f"maps.{table.name}.fields.{column.name}.references"
        if reference.table not in tables:
            raise unknown_word(MANIFEST, field, reference.table, list(tables))
        target = tables[reference.table]
        if reference.column is not None and reference.column not in target.names:
            raise unknown_word(MANIFEST, field, f"{target.name}.{reference.column}", list(target.names))
        if reference.column is None and isinstance(target, RecordTable) and len(target.codec.keyed) != 1:
            names = ", ".join(target.names)
            raise BadInput(MANIFEST, field, f"is {target.name}, whose key has several columns.", f"Name one: {names}.")


def check(tables: Mapping[str, Table], packed: Mapping[str, Packed], given: Mapping[str, Rows], found: Found) -> None:
    """Adds a mistake for each row that names none, with its place among the rows as they were given."""
    for table, column, reference in _references(tables):
        known = _known(tables[reference.table], packed[reference.table], reference)
        missing = {
            raw: absent
            for raw in _cells(column, packed[table.name])
            if raw != column.default
            for absent in [_absent(column.field.decode(raw), known)]
            if absent
        }
        if missing:
            wanted = ".".join(part for part in (reference.table, reference.column) if part)
            rows = given[table.name]
            tell(table.name, rows, list(islice(_mistakes(table, column, wanted, rows, missing), MOST + 1)), found)


def _references(tables: Mapping[str, Table]) -> Iterator[Tuple[RecordTable, Column, Reference]]:
    for table in tables.values():
        for column in table.codec.columns if isinstance(table, RecordTable) else ():
            if column.references is not None and isinstance(table, RecordTable):
                yield table, column, column.references


def _known(target: Table, packed: Packed, reference: Reference) -> Set[Any]:
    if not isinstance(target, RecordTable):
        return set(target.unpack(packed))
    wanted = reference.column or target.codec.keyed[0].name
    column = target.codec.by_name[wanted]
    return {value for raw in _cells(column, packed) for value in _values(column.field.decode(raw))}


def _cells(column: Column, packed: Packed) -> Set[bytes]:
    """The different values of a column, encoded."""
    data, size = (packed.keys, packed.key_size) if column.side == KEY else (packed.values, packed.value_size)
    return {column.of(bytes(data[at : at + size])) for at in range(0, len(data), size)} if size else set()


def _values(decoded: Any) -> List[Any]:
    """Of an array each element."""
    return [_comparable(each) for each in (decoded if isinstance(decoded, list) else [decoded])]


def _comparable(value: Any) -> Any:
    return repr(value) if isinstance(value, (dict, list)) else value


def _absent(decoded: Any, known: Set[Any]) -> Sequence[Any]:
    return [value for value in _values(decoded) if value not in known]


def _mistakes(
    table: RecordTable, column: Column, wanted: str, rows: Rows, missing: Mapping[bytes, Sequence[Any]]
) -> Iterator[RowMistake]:
    """Goes through the rows again, one by one."""
    number = 0
    for chunk in rows.chunks():
        for row in chunk:
            raw = column.of(table.entry(row)[0 if column.side == KEY else 1])
            if raw in missing:
                problem = f"{shown(missing[raw][0])} is not in table {wanted}."
                yield RowMistake(number, problem, column.name, "Add it there, or correct it here.")
            number += 1
