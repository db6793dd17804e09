# SPDX-License-Identifier: GPL-3.0-or-later
"""A table whose rows are mappings of columns to values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence, Tuple

from ..kernel.btf import Btf, MapDefinition
from . import records, shapes
from .field_spec import FieldSpec
from .packed import Packed
from .records import BadField, Records, parsed
from .tables import RECORDS, Table


@dataclass(frozen=True)
class RecordTable(Table):
    """``value`` only tells the size of one. The canonical text of a row is compact JSON.

    In an array a row is there when its value is not all zero, so that no row of zeros can be given.
    """

    codec: Records

    @property
    def counts(self) -> bool:
        return False

    @property
    def names(self) -> Tuple[str, ...]:
        return tuple(column.name for column in self.codec.columns)

    def entry(self, row: Any) -> Tuple[bytes, bytes]:
        """Raises :class:`~.records.BadField`."""
        given = parsed(row) if isinstance(row, str) else row
        if not isinstance(given, Mapping):
            raise BadField("", f"is no mapping of columns, of which there are {', '.join(self.names)}.")
        key, value = self.codec.entry(given)
        if self.array and not any(value):
            raise BadField("", "is all zero but for its key, which in an array means that there is no row.")
        return key, value

    def row(self, key: bytes, value: bytes) -> Any:
        return self.codec.row(key, value)

    def text(self, key: bytes, value: bytes) -> str:
        return self.codec.text(key, value)

    def bulk(self, names: Sequence[str], cells: Sequence[Sequence[str]]) -> Tuple[bytes, bytes]:
        keys, values = self.codec.columnwise(names, cells)
        packed = Packed(self.key_size, len(self.value), keys, values)
        if self.array and not all(any(value) for dummy, value in packed.items()):
            raise ValueError
        return keys, values


def record_table(
    definition: MapDefinition, btf: Btf, fields: Mapping[str, FieldSpec], overlap_refused: bool = False
) -> RecordTable:
    """Raises :class:`BadInput` for a map, or words of the manifest, that make no records."""
    codec = records.codec(definition, fields, btf)
    sizes = f"key {definition.key_size} value {definition.value_size}"
    return RecordTable(
        definition.name,
        RECORDS,
        codec,
        definition.max_entries,
        bytes(definition.value_size),
        definition.type in shapes.ARRAYS,
        f"{RECORDS} type {definition.type} {sizes} {codec.words}",
        definition.key_size,
        overlap_refused,
    )
