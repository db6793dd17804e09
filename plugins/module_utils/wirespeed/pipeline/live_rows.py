# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of a generation's tables, read when somebody asks for them: of a delivered document they may be millions."""

from __future__ import annotations

from typing import Dict, Iterator, Mapping, Tuple

from ..config.tables import Table
from . import instance
from .pins import Paths


class LiveRows(Mapping[str, Tuple[str, ...]]):
    def __init__(self, paths: Paths, pipeline: str, generation: str, tables: Mapping[str, Table]) -> None:
        self._where = paths, pipeline, generation
        self._tables = tables
        self._read: Dict[str, Tuple[str, ...]] = {}

    def __getitem__(self, name: str) -> Tuple[str, ...]:
        if name not in self._read:
            self._read.update(instance.rows(*self._where, {name: self._tables[name]}))
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)
