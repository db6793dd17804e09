# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration document: the tables of one pipeline, typed rows inline or in files, compiled whole or refused whole.

::

    pipeline: scrubber
    schema: 2
    tables:
      deny_v4: [192.0.2.0/24]
      policies: [{policy: 12, limit: 10kpps}]
      customers_v4: {file: customers.csv}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional

from .. import yaml_lines
from ..errors import BadInput, Place
from ..model.intent import unknown_word
from ..yaml_lines import pointer
from . import packing, references
from .compiled import Compiled, layout_of
from .csv_file import Csv
from .files import File, JsonLines, Plain
from .given import Inline, Rows
from .migrations import migrated
from .mistakes import Found
from .packed import Packed
from .section import Section
from .tables import Table

_FORMATS: Mapping[str, Callable[[Path], File]] = {"csv": Csv, "jsonl": JsonLines, "plain": Plain}
_SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".txt": "plain", ".list": "plain"}
_KEYS = ("pipeline", "schema", "tables")
_FILE_KEYS = ("file", "format")
OLDEST = 1
"""The schema of a document that names none."""


@dataclass(frozen=True)
class Document:
    """``tables`` as they were given, not yet migrated; nothing of their files has been read."""

    pipeline: str
    schema: int
    tables: Mapping[str, Rows]
    place: Place


@dataclass(frozen=True)
class _Text:
    """The data of a document, and the line of each part where it came from a file."""

    source: str
    data: Any
    lines: Mapping[str, int]
    relative_to: Path

    def place(self, *path: object) -> Place:
        return Place(self.source, self.lines.get(pointer(tuple(map(str, path)))))


def read(path: Path) -> Document:
    """Raises :class:`BadInput` with file and line."""
    data, lines = yaml_lines.read(path)
    return _document(_Text(str(path), data, lines, path.parent))


def given(data: Any, place: Place, relative_to: Optional[Path] = None) -> Document:
    """Of plain data, as a module's options have it; without ``relative_to`` no files are taken."""
    return _document(_Text(place.source, data, {}, relative_to or Path()), files=relative_to is not None)


def compile_document(document: Document, pipeline: str, section: Section, tables: Mapping[str, Table]) -> Compiled:
    """Raises :class:`BadInput` for the first mistake, or :class:`~.mistakes.Mistakes` for up to 20, of all tables."""
    if document.pipeline != pipeline:
        problem = f"is {document.pipeline!r}, but the manifest is of {pipeline!r}."
        raise BadInput(document.place, "pipeline", problem, "Correct the name, or give the other manifest.")
    if document.schema > section.schema:
        problem = f"is {document.schema}, but this version of {pipeline} knows {section.schema} at most."
        raise BadInput(document.place, "schema", problem, "Deliver it to a newer version of the pipeline.")
    rows = migrated(document.tables, document.schema, section.migrations, document.place)
    found = Found()
    for name in rows:
        if name not in tables:
            found.add(unknown_word(rows[name].whole, f"tables.{name}", name, list(tables)))
    found.settle()
    packed: Dict[str, Packed] = {}
    for name, table in tables.items():
        packed[name] = packing.packed(table, rows.get(name, Inline((), document.place)), found)
    found.settle()
    references.check(tables, packed, rows, found)
    found.settle()
    return Compiled(pipeline, section.schema, layout_of(tables), packed)


def _document(text: _Text, files: bool = True) -> Document:
    data = text.data
    if not isinstance(data, Mapping):
        raise BadInput(text.place(), "", f"is {str(data)[:60]!r}, not a mapping.", f"It has {', '.join(_KEYS)}.")
    for key in data:
        if key not in _KEYS:
            raise unknown_word(text.place(key), str(key), str(key), _KEYS)
    pipeline = data.get("pipeline")
    if not isinstance(pipeline, str):
        raise BadInput(text.place("pipeline"), "pipeline", "is missing, or no text.", "Name the pipeline.")
    schema = data.get("schema", OLDEST)
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < OLDEST:
        raise BadInput(text.place("schema"), "schema", f"is {schema!r}.", f"It is a whole number from {OLDEST}.")
    tables = data.get("tables") or {}
    if not isinstance(tables, Mapping):
        raise BadInput(text.place("tables"), "tables", f"is {str(tables)[:60]!r}, not a mapping.")
    rows = {str(name): _rows(text, str(name), each, files) for name, each in tables.items()}
    return Document(pipeline, schema, rows, text.place())


def _rows(text: _Text, name: str, said: Any, files: bool) -> Rows:
    where, field = ("tables", name), f"tables.{name}"
    if said is None:
        return Inline((), text.place(*where))
    if isinstance(said, (list, tuple)):
        places: List[Place] = [text.place(*where, number) for number in range(len(said))] if text.lines else []
        return Inline(said, text.place(*where), places)
    if not isinstance(said, Mapping):
        problem = f"is {str(said)[:60]!r}, neither a list of rows nor a file."
        raise BadInput(text.place(*where), field, problem, "Write {file: NAME} for the rows of a file.")
    for key in said:
        if key not in _FILE_KEYS:
            raise unknown_word(text.place(*where, key), f"{field}.{key}", str(key), _FILE_KEYS)
    if not files:
        raise BadInput(text.place(*where), field, "is a file.", "Give the document as a file to have others beside it.")
    return _file(text, name, said)


def _file(text: _Text, name: str, said: Mapping[str, Any]) -> Rows:
    place, field = text.place("tables", name), f"tables.{name}"
    file = said.get("file")
    if not isinstance(file, str) or not file or "\0" in file:
        raise BadInput(place, f"{field}.file", "is missing, or no text.", "Name a file, relative to the document.")
    path = text.relative_to / file
    form = said.get("format", _SUFFIXES.get(path.suffix))
    if form is None:
        problem, known = f"{file!r} does not tell its format.", ", ".join(_SUFFIXES)
        raise BadInput(place, f"{field}.format", problem, f"Say one of {', '.join(_FORMATS)}; known are {known}.")
    if form not in _FORMATS:
        raise unknown_word(place, f"{field}.format", str(form), list(_FORMATS))
    return _FORMATS[form](path)
