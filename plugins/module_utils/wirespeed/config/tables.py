# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables: config maps as rows of text. What a row may say follows from the BTF of the map's key.

A row has one canonical spelling, so that rows can be compared as text: what is wanted, what is
live, and what a step adds or removes. Pure; ``live.py`` does the reading and writing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Protocol, Sequence, Tuple

from ..errors import BadInput, Place
from ..kernel.btf import Btf, MapDefinition
from ..model.intent import unknown_word
from . import addresses, ports, prefixes, shapes
from .packed import Packed
from .shapes import MANIFEST

SETS = {"prefix_set": "prefix", "address_set": "address", "port_set": "port"}
"""The kinds whose rows are one text each, and what a file calls their only column."""
RECORDS = "records"
KINDS = (*SETS, RECORDS)


class Codec(Protocol):
    """Turns a row into a map's key and back. ``encode`` raises ValueError with half a sentence.

    ``bulk`` is ``encode`` of many rows, joined; its ValueError does not say which is wrong. ``significance`` are the
    offsets of the key's bytes, the most significant first: keys that ``encode`` gives compare by them as by ``order``.
    """

    @property
    def significance(self) -> Tuple[int, ...]: ...

    def encode(self, row: str) -> bytes: ...

    def decode(self, key: bytes) -> str: ...

    def order(self, key: bytes) -> Tuple[bytes, int]: ...


class SetCodec(Codec, Protocol):
    def bulk(self, rows: Sequence[str]) -> bytes: ...


@dataclass(frozen=True)
class Table:
    """``max_entries`` is what the map will hold at most; ``value`` is written for each row, for one CPU.

    ``array``: every element is there at all times, so that a row is there when its value is not zero. In other maps
    the key alone says it. What else the value says does not matter: programs count in it. ``layout`` is all that
    decides how a row becomes bytes, in words.
    """

    name: str
    kind: str
    codec: SetCodec
    max_entries: int
    value: bytes = b"\x01"
    array: bool = False
    layout: str = ""
    key_size: int = 0
    overlap_refused: bool = False

    @property
    def counts(self) -> bool:
        """Whether programs may count in the values, so that only the keys are compared with what is wanted."""
        return True

    @property
    def names(self) -> Tuple[str, ...]:
        """Of the columns, as a file's first line has them."""
        return (SETS[self.kind],)

    def entry(self, row: Any) -> Tuple[bytes, bytes]:
        """Key and value. ``row`` is a text, or a mapping of the only column. Raises ValueError with half a sentence."""
        (name,) = self.names
        if isinstance(row, Mapping):
            if set(row) != {name}:
                raise ValueError(f"is no mapping of {name} alone.")
            row = row[name]
        if isinstance(row, bool) or not isinstance(row, (str, int)):
            raise ValueError("is no text; put it in quotes.")
        return self.codec.encode(str(row)), self.value

    def row(self, key: bytes, value: bytes) -> Any:
        """The canonical row: a text."""
        return self.codec.decode(key)

    def text(self, key: bytes, value: bytes) -> str:
        """The canonical row as a text, which steps and plans carry."""
        return self.codec.decode(key)

    def bulk(self, names: Sequence[str], cells: Sequence[Sequence[str]]) -> Tuple[bytes, bytes]:
        """Keys and values of many rows, joined. Raises ValueError where any row must be looked at alone."""
        if tuple(names) not in ((), self.names):
            raise ValueError
        return self.codec.bulk(cells[0]), self.value * len(cells[0])

    def pack(self, rows: Sequence[Any], place: Place) -> Packed:
        """Raises :class:`BadInput` as :meth:`entries` does."""
        entries = self.entries(rows, place).values()
        keys, values = b"".join(key for key, dummy in entries), b"".join(value for dummy, value in entries)
        return Packed(self.key_size, len(self.value), keys, values)

    def unpack(self, packed: Packed) -> Iterator[Any]:
        """Canonical rows, in the order of ``packed``."""
        for key, value in packed.items():
            yield self.row(key, value)

    def entries(self, rows: Sequence[Any], place: Place) -> Dict[str, Tuple[bytes, bytes]]:
        """Canonical text -> key and value, in table order. Raises :class:`BadInput` for the first bad row, from 1."""
        found: Dict[bytes, Tuple[int, bytes]] = {}
        for number, row in enumerate(rows, start=1):
            field = f"table {self.name}, row {number}"
            try:
                key, value = self.entry(row)
            except ValueError as error:
                raise BadInput(place, field, f"{row!r} {error}") from None
            if key in found:
                problem = f"{row!r} stands in row {found[key][0]} already."
                raise BadInput(place, field, problem, "Remove one of them.")
            found[key] = number, value
        self.check_room(len(found), place)
        ordered = sorted(found, key=self.codec.order)
        return {self.text(key, found[key][1]): (key, found[key][1]) for key in ordered}

    def keys(self, rows: Sequence[Any], place: Place) -> Dict[str, bytes]:
        """Canonical row -> key, in table order. Raises :class:`BadInput` as :meth:`entries` does."""
        return {text: key for text, (key, dummy) in self.entries(rows, place).items()}

    def check_room(self, rows: int, place: Place) -> None:
        """Raises :class:`BadInput` when the map cannot hold so many rows."""
        if rows > self.max_entries:
            raise BadInput(
                place,
                f"table {self.name}",
                f"has {rows} rows, but its map holds {self.max_entries}.",
                f"Raise maps.{self.name}.max_entries in the manifest, or give fewer rows.",
            )

    def check_fits(self, packed: Packed, place: Place) -> None:
        """Raises :class:`BadInput` when the map cannot hold these rows, which were compiled for another size."""
        self.check_room(packed.count, place)
        keys = [int.from_bytes(key, sys.byteorder) for key, dummy in packed.items()] if self.array else []
        highest = max(keys, default=0)
        if highest >= self.max_entries:
            problem = f"has a row {highest}, but its map ends with {self.max_entries - 1}."
            raise BadInput(place, f"table {self.name}", problem, "Raise max_entries in the manifest.")

    def rows(self, items: Iterable[Tuple[bytes, bytes]]) -> Tuple[str, ...]:
        """Canonical texts of keys and values, in table order."""
        found = sorted(items, key=lambda item: self.codec.order(item[0]))
        return tuple(self.text(key, value) for key, value in found)


def table(
    definition: MapDefinition, kind: Optional[str], btf: Btf, value: int = 1, order: Optional[str] = None
) -> Table:
    """The table of one config map; ``value`` and ``order`` as in the manifest.

    Raises :class:`BadInput` when no row of this kind fits its key, or the number its value.
    """
    if order is not None and kind != "port_set":
        raise BadInput(
            MANIFEST, f"maps.{definition.name}.order", f"stands on a table of kind {kind}.", "Only a port_set has it."
        )
    shapes.check_sizes(definition, str(kind))
    codec: SetCodec
    if kind == "prefix_set":
        codec = prefixes.codec(definition, kind, btf)
    elif kind == "address_set":
        codec = addresses.codec(definition, kind, btf)
    elif kind == "port_set":
        codec = ports.codec(definition, kind, btf, order)
    else:  # records come with more words: record_table.py
        raise unknown_word(MANIFEST, f"maps.{definition.name}.table", str(kind), KINDS)
    written, array = shapes.value(definition, value), definition.type in shapes.ARRAYS
    sizes = f"key {definition.key_size} value {definition.value_size}"
    layout = f"{kind} {codec} type {definition.type} {sizes} {written.rstrip(bytes(1)).hex()}"
    return Table(definition.name, kind, codec, definition.max_entries, written, array, layout, definition.key_size)


def canonical(
    tables: Mapping[str, Table], wanted: Mapping[str, Sequence[str]], place: Place
) -> Dict[str, Tuple[str, ...]]:
    """The rows of every table, in canonical spelling and order; a table that is not named is empty.

    Raises :class:`BadInput` for an unknown table and for the first bad row.
    """
    for name in wanted:
        if name not in tables:
            raise unknown_word(place, "tables", name, list(tables))
    return {name: tuple(found.keys(wanted.get(name, ()), place)) for name, found in tables.items()}


def difference(live: Sequence[str], wanted: Sequence[str]) -> Tuple[List[str], List[str]]:
    """Rows to add and rows to remove, each in the order given. Both sides are canonical."""
    have, want = set(live), set(wanted)
    return [row for row in wanted if row not in have], [row for row in live if row not in want]
