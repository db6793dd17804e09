# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as they were given, in pieces of bounded size: texts by column out of a file, or values out of a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Any, Dict, Iterator, Protocol, Sequence, Tuple, Union

from ..errors import Place

CHUNK = 1 << 16
"""Rows."""


@dataclass(frozen=True)
class Texts:
    """``cells`` by column, all of the same length, at least one. Without ``names`` it is a list of single texts."""

    names: Tuple[str, ...]
    cells: Tuple[Sequence[str], ...]

    def __len__(self) -> int:
        return len(self.cells[0])

    def __iter__(self) -> Iterator[Any]:
        """The rows: mappings, or single texts."""
        for row in zip(*self.cells):
            yield dict(zip(self.names, row)) if self.names else row[0]


Chunk = Union[Texts, Sequence[Any]]


class Rows(Protocol):
    """Can be gone through again, which is done only to say where a mistake is.

    ``chunks`` raises BadInput for a file that cannot be read as its format. ``places`` are of rows, from 0.
    """

    @property
    def whole(self) -> Place: ...

    def chunks(self) -> Iterator[Chunk]: ...

    def places(self, numbers: AbstractSet[int]) -> Dict[int, Place]: ...


@dataclass(frozen=True)
class Inline:
    """Rows that stand in the document itself; ``known`` are their places, where they are known."""

    rows: Sequence[Any]
    whole: Place
    known: Sequence[Place] = ()

    def chunks(self) -> Iterator[Chunk]:
        for at in range(0, len(self.rows), CHUNK):
            yield self.rows[at : at + CHUNK]

    def places(self, numbers: AbstractSet[int]) -> Dict[int, Place]:
        return {number: self.known[number] if self.known else self.whole for number in numbers}
