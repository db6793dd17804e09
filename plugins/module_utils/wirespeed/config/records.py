# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of several typed columns, some of the key and some of the value, and their bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..kernel.btf import Btf, MapDefinition
from ..model.intent import unknown_word
from ..model.row import row_text
from . import shapes
from .columns import KEY, VALUE, Column, columns
from .field_spec import FieldSpec
from .fields.field import distinct, shown
from .fields.number import BIG, NATIVE, Number
from .fields.prefix import Prefix
from .prefixes import LENGTH_BYTES
from .shapes import MANIFEST

Row = Mapping[str, Any]
DEEPEST = 8


class BadField(ValueError):
    """Half a sentence about one column of a row."""

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(problem)
        self.column = column


@dataclass(frozen=True)
class Records:
    """Sizes in bytes. As a :class:`~.tables.Codec` its text of a key is the key's columns as compact JSON."""

    columns: Tuple[Column, ...]
    key_size: int
    value_size: int

    def entry(self, row: Row) -> Tuple[bytes, bytes]:
        """Key and value. Raises :class:`BadField` for the first column that is unknown, missing or wrong."""
        cells = _flattened(row)
        for name in cells:
            if name not in self.by_name:
                told = unknown_word(MANIFEST, name, name, list(self.by_name))
                raise BadField(name, f"is no column of this table. {told.remedy}")
        parts = {KEY: bytearray(self.key_size), VALUE: bytearray(self.value_size)}
        for column in self.columns:
            raw = _encoded(column, cells.get(column.name))
            for at, size, to in column.pieces:
                parts[column.side][to : to + size] = raw[at : at + size]
        return bytes(parts[KEY]), bytes(parts[VALUE])

    def row(self, key: bytes, value: bytes) -> Dict[str, Any]:
        """The canonical row: nested where members are, with every column."""
        items = {KEY: key, VALUE: value}
        return _nested((column.name, column.field.decode(column.of(items[column.side]))) for column in self.columns)

    def text(self, key: bytes, value: bytes) -> str:
        """The canonical row as compact JSON, its names sorted."""
        return row_text(self.row(key, value))

    def columnwise(self, names: Sequence[str], cells: Sequence[Sequence[str]]) -> Tuple[bytes, bytes]:
        """Keys and values of many rows of texts, each joined; ``cells`` by column.

        Raises ValueError where any row is wrong, or needs to be looked at alone.
        """
        count, given = len(cells[0]), dict(zip(names, cells))
        if not set(given) <= set(self.by_name):
            raise ValueError
        sizes = {KEY: self.key_size, VALUE: self.value_size}
        parts = {side: bytearray(count * size) for side, size in sizes.items()}
        for column in self.columns:
            raw = _column(column, given.get(column.name), count)
            for at, size, to in column.pieces:
                for byte in range(size):
                    parts[column.side][to + byte :: sizes[column.side]] = raw[at + byte :: column.field.size]
        return bytes(parts[KEY]), bytes(parts[VALUE])

    def bulk(self, rows: Sequence[str]) -> bytes:
        return distinct(self.encode, rows)

    def encode(self, row: str) -> bytes:
        return self.entry(parsed(row))[0]

    def decode(self, key: bytes) -> str:
        return row_text(_nested((column.name, column.field.decode(column.of(key))) for column in self.keyed))

    def order(self, key: bytes) -> Tuple[bytes, int]:
        return bytes(key[at] for at in self.significance), 0

    @cached_property
    def by_name(self) -> Dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def keyed(self) -> Tuple[Column, ...]:
        """The columns of the key."""
        return tuple(column for column in self.columns if column.side == KEY)

    @cached_property
    def significance(self) -> Tuple[int, ...]:
        """Where the key's bytes lie, the most significant first: numbers sort as such, a prefix's length last."""
        data: List[int] = []
        length: Tuple[int, ...] = ()
        for column in self.keyed:
            dummy, size, to = column.pieces[-1]
            turned = isinstance(column.field, Number) and NATIVE != BIG and column.field.order != BIG
            data += sorted(range(to, to + size), reverse=turned)
            if isinstance(column.field, Prefix):
                length = LENGTH_BYTES
        return (*data, *length)

    @property
    def words(self) -> str:
        return "; ".join(column.words for column in self.columns)


def codec(definition: MapDefinition, fields: Mapping[str, FieldSpec], btf: Btf) -> Records:
    """Raises :class:`BadInput` for a map that no rows can be written to."""
    if definition.type not in (*shapes.HASHES, *shapes.ARRAYS, shapes.LPM_TRIE):
        raise shapes.unfit(definition, "records", "Records are of a hash, an array or a trie (per-CPU and LRU too).")
    shapes.check_sizes(definition, "records")
    return Records(columns(definition, fields, btf), definition.key_size, definition.value_size)


def parsed(text: str) -> Row:
    """Raises :class:`BadField` for a text that is no JSON of a mapping."""
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise BadField("", "is no mapping of columns.")
    return row


def _encoded(column: Column, value: Any) -> bytes:
    """A cell that is empty or null is one that is not there."""
    if value is None or value == "":
        if column.default is not None:
            return column.default
        if value is None or not _takes_nothing(column):
            raise BadField(column.name, "is missing, and has no default.")
    try:
        return column.field.encode(value)
    except ValueError as error:
        raise BadField(column.name, f"{shown(value)} {error}") from None


def _takes_nothing(column: Column) -> bool:
    """An empty text is a value of texts and lists."""
    try:
        column.field.encode("")
    except ValueError:
        return False
    return True


def _column(column: Column, texts: Optional[Sequence[str]], count: int) -> bytes:
    if texts is None:
        if column.default is None:
            raise ValueError
        return column.default * count
    if column.default is None or "" not in texts:
        return column.field.bulk(texts)
    default = column.default
    return distinct(lambda text: column.field.encode(text) if text else default, texts)


def _flattened(row: Row, front: str = "", depth: int = 0) -> Dict[str, Any]:
    """``{limit: {burst: 5}}`` -> ``{limit.burst: 5}``."""
    if depth > DEEPEST:
        raise BadField(front, f"is nested more than {DEEPEST} deep.")
    found: Dict[str, Any] = {}
    for name, value in row.items():
        path = f"{front}{name}"
        below = _flattened(value, f"{path}.", depth + 1) if isinstance(value, Mapping) and value else {path: value}
        for inner, cell in below.items():
            if inner in found:
                raise BadField(inner, "is given twice.")
            found[inner] = cell
    return found


def _nested(cells: Any) -> Dict[str, Any]:
    """The inverse of :func:`_flattened`."""
    row: Dict[str, Any] = {}
    for name, value in cells:
        at = row
        *front, last = name.split(".")
        for part in front:
            at = at.setdefault(part, {})
        at[last] = value
    return row
