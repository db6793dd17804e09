# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables: config maps as rows of text. What a row may say follows from the BTF of the map's key.

A row has one canonical spelling, so that rows can be compared as text: what is wanted, what is
live, and what a step adds or removes. Pure; ``live.py`` does the reading and writing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, Optional, Protocol, Sequence, Tuple

from ..errors import BadInput, Place
from ..kernel.btf import Btf, MapDefinition
from ..model.intent import unknown_word
from . import addresses, ports, prefixes, shapes
from .packed import Packed
from .shapes import MANIFEST

KINDS = ("prefix_set", "address_set", "port_set")


class Codec(Protocol):
    """Turns a row into a map's key and back. ``encode`` raises ValueError with half a sentence."""

    def encode(self, row: str) -> bytes: ...

    def decode(self, key: bytes) -> str: ...

    def order(self, key: bytes) -> Tuple[bytes, int]: ...


@dataclass(frozen=True)
class Table:
    """``max_entries`` is what the map will hold at most; ``value`` is written for each row, for one CPU.

    ``array``: every element is there at all times, so that a row is there when its value is not zero. In other maps
    the key alone says it. What else the value says does not matter: programs count in it.
    """

    name: str
    kind: str
    codec: Codec
    max_entries: int
    value: bytes = b"\x01"
    array: bool = False
    layout: str = ""
    key_size: int = 0

    def pack(self, rows: Sequence[str], place: Place) -> Packed:
        """Raises :class:`BadInput` as :meth:`keys` does."""
        keys = self.keys(rows, place)
        return Packed(self.key_size, len(self.value), b"".join(keys.values()), self.value * len(keys))

    def unpack(self, packed: Packed) -> Iterator[str]:
        """Canonical rows, in the order of ``packed``."""
        for key, dummy in packed.items():
            yield self.codec.decode(key)

    def keys(self, rows: Sequence[str], place: Place) -> Dict[str, bytes]:
        """Canonical row -> key, in table order. Raises :class:`BadInput` naming the first bad row, from 1."""
        found: Dict[bytes, int] = {}
        for number, row in enumerate(rows, start=1):
            try:
                key = self.codec.encode(row)
            except ValueError as error:
                raise BadInput(place, f"table {self.name}, row {number}", f"{row!r} {error}") from None
            if key in found:
                raise BadInput(
                    place,
                    f"table {self.name}, row {number}",
                    f"{row!r} stands in row {found[key]} already.",
                    "Remove one of them.",
                )
            found[key] = number
        self.check_room(len(found), place)
        return {self.codec.decode(key): key for key in sorted(found, key=self.codec.order)}

    def check_room(self, rows: int, place: Place) -> None:
        """Raises :class:`BadInput` when the map cannot hold so many rows."""
        if rows > self.max_entries:
            raise BadInput(
                place,
                f"table {self.name}",
                f"has {rows} rows, but its map holds {self.max_entries}.",
                f"Raise maps.{self.name}.max_entries in the manifest, or give fewer rows.",
            )

    def rows(self, keys: Sequence[bytes]) -> Tuple[str, ...]:
        """Canonical rows, in table order."""
        return tuple(self.codec.decode(key) for key in sorted(keys, key=self.codec.order))


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
    codec: Codec
    if kind == "prefix_set":
        codec = prefixes.codec(definition, kind, btf)
    elif kind == "address_set":
        codec = addresses.codec(definition, kind, btf)
    elif kind == "port_set":
        codec = ports.codec(definition, kind, btf, order)
    else:
        raise unknown_word(MANIFEST, f"maps.{definition.name}.table", str(kind), KINDS)
    written, array = shapes.value(definition, value), definition.type in shapes.ARRAYS
    layout = f"{kind} {codec} type {definition.type} key {definition.key_size} value {written.hex()}"
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
