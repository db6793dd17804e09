# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema (2020-12) of a pipeline's documents, so that an editor helps to write them.

It says what a document may look like, and less than a compilation checks: nothing of host bits, keys that stand twice,
references, or files.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from .columns import Column
from .record_table import RecordTable
from .section import Section
from .tables import Table

_FILE = {
    "type": "object",
    "description": "the rows of a file.",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "description": "relative to the document.", "minLength": 1},
        "format": {"enum": ["csv", "jsonl", "plain"], "description": "what the name's ending says when left out."},
    },
}
_ROWS = {
    "prefix_set": {"type": "string", "description": "a prefix.", "pattern": "^[0-9a-fA-F:.]+(/[0-9]{1,3})?$"},
    "address_set": {"type": "string", "description": "an address.", "pattern": "^[0-9a-fA-F:.]+$"},
    "port_set": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 65535}, {"type": "string"}]},
}


def schema_of(pipeline: str, section: Section, tables: Mapping[str, Table]) -> Dict[str, Any]:
    """Of documents with the current schema, written in YAML or JSON."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Configuration of pipeline {pipeline}, schema {section.schema}",
        "type": "object",
        "required": ["pipeline", "tables", *(["schema"] if section.schema > 1 else [])],
        "additionalProperties": False,
        "properties": {
            "pipeline": {"const": pipeline},
            "schema": {"const": section.schema, "description": "the version of tables and columns; 1 when left out."},
            "tables": {
                "type": "object",
                "additionalProperties": False,
                "properties": {name: _table(table) for name, table in tables.items()},
            },
        },
    }


def _table(table: Table) -> Dict[str, Any]:
    """A table without rows may be written as nothing."""
    row = _record(table) if isinstance(table, RecordTable) else _ROWS[table.kind]
    rows = {"type": "array", "items": row, "maxItems": table.max_entries}
    return {"anyOf": [rows, _FILE, {"type": "null"}]}


def _record(table: RecordTable) -> Dict[str, Any]:
    """Columns with dots in their names are nested mappings, or keep the dots."""
    return _mapping("", list(table.codec.columns))


def _mapping(front: str, columns: List[Column]) -> Dict[str, Any]:
    properties: Dict[str, Any] = {}
    required: List[str] = []
    nested: Dict[str, List[Column]] = {}
    for column in columns:
        name, dot, dummy = column.name[len(front) :].partition(".")
        if dot:
            nested.setdefault(name, []).append(column)
            properties[column.name[len(front) :]] = _column(column)
        else:
            properties[name] = _column(column)
            required += [name] if column.default is None else []
    for name, inner in nested.items():
        properties[name] = _mapping(f"{front}{name}.", inner)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _column(column: Column) -> Dict[str, Any]:
    told: Dict[str, Any] = column.field.schema()
    words = [column.description] if column.description else []
    if column.references is not None:
        words.append(f"must stand in table {column.references.table}.")
    if column.default is not None:
        told = {"anyOf": [told, {"enum": [None, ""]}], "default": column.field.decode(column.default)}
    return {**told, **({"description": " ".join(words)} if words else {})}
