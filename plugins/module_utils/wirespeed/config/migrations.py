# SPDX-License-Identifier: GPL-3.0-or-later
"""What turns documents of an older schema into newer ones: declared in the manifest, named, in order. Pure.

A step changes rows as they were given, before anything is typed, so that it serves rows in the document and rows in
files alike. A table that the document does not have, and a column that a row does not have, is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import AbstractSet, Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from ..errors import BadInput, Place
from .given import Chunk, Rows, Texts


class Change(str, Enum):
    RENAME_TABLE = "rename_table"
    RENAME_FIELD = "rename_field"
    SET_DEFAULT = "set_default"
    DROP_FIELD = "drop_field"
    MAP_VALUES = "map_values"


@dataclass(frozen=True)
class Step:
    """``old`` is the column, or the table itself; ``new`` what either is called then."""

    change: Change
    table: str
    old: str = ""
    new: str = ""
    value: Any = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, said: Mapping[str, Mapping[str, Any]]) -> "Step":
        ((word, of),) = said.items()
        change = Change(word)
        if change is Change.RENAME_TABLE:
            return cls(change, of["from"], of["from"], of["to"])
        column = of.get("field", of.get("from", ""))
        return cls(change, of["table"], column, of.get("to", ""), of.get("value"), dict(of.get("values", {})))

    def to_json(self) -> Dict[str, Dict[str, Any]]:
        if self.change is Change.RENAME_TABLE:
            return {self.change.value: {"from": self.old, "to": self.new}}
        word = "from" if self.change is Change.RENAME_FIELD else "field"
        said: Dict[str, Any] = {"table": self.table, word: self.old}
        if self.change is Change.RENAME_FIELD:
            said["to"] = self.new
        if self.change is Change.SET_DEFAULT:
            said["value"] = self.value
        if self.change is Change.MAP_VALUES:
            said["values"] = dict(self.values)
        return {self.change.value: said}


@dataclass(frozen=True)
class Migration:
    """Takes documents of schema ``before`` and gives those of the next."""

    name: str
    before: int
    steps: Tuple[Step, ...]

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Migration":
        return cls(said["name"], said["from"], tuple(Step.from_json(step) for step in said["steps"]))

    def to_json(self) -> Dict[str, Any]:
        return {"name": self.name, "from": self.before, "steps": [step.to_json() for step in self.steps]}


@dataclass(frozen=True)
class _Migrated:
    """Rows after some steps."""

    rows: Rows
    migration: str
    steps: Tuple[Step, ...]

    @property
    def whole(self) -> Place:
        return self.rows.whole

    def places(self, numbers: AbstractSet[int]) -> Dict[int, Place]:
        return self.rows.places(numbers)

    def chunks(self) -> Iterator[Chunk]:
        first = 0
        for chunk in self.rows.chunks():
            count = len(chunk)
            for step in self.steps:
                chunk = self._changed(chunk, step, first)
            yield chunk
            first += count

    def _changed(self, chunk: Chunk, step: Step, first: int) -> Chunk:
        if isinstance(chunk, Texts):
            if step.change is Change.RENAME_FIELD and {step.old, step.new} <= set(chunk.names):
                raise self._both(step, self.rows.whole)
            return _texts(chunk, step)
        found: List[Any] = []
        for number, row in enumerate(chunk, start=first):
            if isinstance(row, Mapping) and step.change is Change.RENAME_FIELD and step.old in row and step.new in row:
                raise self._both(step, self.rows.places({number})[number])
            found.append(_row(row, step) if isinstance(row, Mapping) else row)
        return found

    def _both(self, step: Step, place: Place) -> BadInput:
        problem = f"migration {self.migration} renames column {step.old!r} to {step.new!r}, but both are there."
        return BadInput(place, f"table {step.table}", problem, f"Remove one, or say the schema that has {step.new!r}.")


def migrated(tables: Mapping[str, Rows], schema: int, migrations: Sequence[Migration], place: Place) -> Dict[str, Rows]:
    """The tables of a document of ``schema`` as the current one has them. Raises :class:`BadInput`."""
    found = dict(tables)
    for migration in sorted(migrations, key=lambda each: each.before):
        for step in migration.steps if migration.before >= schema else ():
            if step.table not in found:
                continue
            if step.change is not Change.RENAME_TABLE:
                found[step.table] = _Migrated(found[step.table], migration.name, (step,))
                continue
            if step.new in found:
                problem = f"migration {migration.name} renames table {step.old!r} to {step.new!r}, but both are there."
                raise BadInput(place, f"tables.{step.old}", problem, "Remove one of them.")
            found[step.new] = found.pop(step.old)
    return found


def _texts(chunk: Texts, step: Step) -> Texts:
    """Columns of texts: what a step gives is spelt as a cell would be."""
    if not chunk.names:
        return chunk
    columns = dict(zip(chunk.names, chunk.cells))
    if step.change is Change.SET_DEFAULT:
        value = _cell(step.value)
        columns[step.old] = [cell or value for cell in columns.get(step.old, [""] * len(chunk))]
    elif step.old not in columns:
        return chunk
    elif step.change is Change.RENAME_FIELD:
        columns = {step.new if name == step.old else name: cells for name, cells in columns.items()}
    elif step.change is Change.MAP_VALUES:
        values = {old: _cell(new) for old, new in step.values.items()}
        columns[step.old] = [values.get(cell, cell) for cell in columns[step.old]]
    elif len(columns) > 1:
        del columns[step.old]
    return replace(chunk, names=tuple(columns), cells=tuple(columns.values()))


def _cell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _row(row: Mapping[str, Any], step: Step) -> Mapping[str, Any]:
    if step.change is Change.SET_DEFAULT:
        return {**row, step.old: step.value} if row.get(step.old) in (None, "") else row
    if step.old not in row:
        return row
    if step.change is Change.RENAME_FIELD:
        return {step.new if name == step.old else name: value for name, value in row.items()}
    if step.change is Change.MAP_VALUES:
        value = row[step.old]
        return {**row, step.old: step.values.get(_cell(value), value)}
    return {name: value for name, value in row.items() if name != step.old}
