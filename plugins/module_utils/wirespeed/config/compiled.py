# SPDX-License-Identifier: GPL-3.0-or-later
"""A document after all its checks: every table's rows in the kernel's layout, and a digest of what they say."""

from __future__ import annotations

import hashlib
import struct
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Mapping

from ..errors import BadInput, Place
from .packed import Packed
from .tables import Table

_SIZES = struct.Struct("<IIIQ")
_DIGITS = 12


@dataclass(frozen=True)
class Compiled:
    """``schema`` is the version that the rows were migrated to; ``layout`` is of :func:`layout_of`.

    ``tables`` has every config table of the pipeline; one without rows is there with none.
    """

    pipeline: str
    schema: int
    layout: str
    tables: Mapping[str, Packed]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the names and rows of all tables, whatever their order in the text."""
        found = hashlib.sha256()
        for name, packed in sorted(self.tables.items()):
            told = name.encode()
            found.update(_SIZES.pack(len(told), packed.key_size, packed.value_size, packed.count) + told)
            found.update(packed.keys)
            found.update(packed.values)
        return found.hexdigest()

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(packed.count for packed in self.tables.values())

    def check(self, pipeline: str, tables: Mapping[str, Table], place: Place) -> None:
        """That it can be written to this node's maps. Raises :class:`BadInput`: ``place`` is what it came from."""
        if self.pipeline != pipeline:
            raise BadInput(place, "pipeline", f"is {self.pipeline!r}, not {pipeline!r}.", "Give the document of that.")
        wanted = layout_of(tables)
        if self.layout != wanted or set(self.tables) != set(tables):
            raise BadInput(
                place,
                "layout",
                f"is {self.layout[:_DIGITS]}, but the tables of pipeline {pipeline} here have {wanted[:_DIGITS]}: it "
                "was compiled for another object or manifest.",
                "Compile the document again with the object that runs here.",
            )
        for name, table in tables.items():
            table.check_fits(self.tables[name], place)


def layout_of(tables: Mapping[str, Table]) -> str:
    """SHA-256 of all that decides how a row of text becomes bytes: names, sizes, members, kinds, byte order."""
    told = [f"{name}: {table.layout}" for name, table in sorted(tables.items())]
    return hashlib.sha256("\n".join([sys.byteorder, *told]).encode()).hexdigest()
