# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as a document again, a row at a time: the inverse of ``document.py``. Pure."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Dict, Iterator, List, Mapping

from .packed import Packed
from .tables import RECORDS, Table

_UNQUOTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\d{1,3}(\.\d{1,3}){3}(/\d{1,2})?|[1-9]\d{0,8}[A-Za-z]{1,5}")
_ANOTHER_TYPE = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
# What JSON leaves as it is and YAML takes for a line break, or for no character (YAML 1.1, 5.1 and 5.4).
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def inline(pipeline: str, schema: int, tables: Mapping[str, Packed], codecs: Mapping[str, Table]) -> Iterator[str]:
    """A document with its rows in it, line by line."""
    yield from _head(pipeline, schema)
    for name, packed in tables.items():
        yield f"  {name}:\n" if packed.count else f"  {name}: []\n"
        for row in codecs[name].unpack(packed):
            yield f"    - {_value(row)}\n"


def with_files(pipeline: str, schema: int, files: Mapping[str, str]) -> Iterator[str]:
    """A document whose rows are in files beside it, by table."""
    yield from _head(pipeline, schema)
    for name, file in files.items():
        yield f"  {name}: {{file: {json.dumps(file)}}}\n"


def suffix(table: Table) -> str:
    """Of the name of a file with its rows, which tells their format."""
    return ".jsonl" if table.kind == RECORDS else ".txt"


def rows(table: Table, packed: Packed) -> Iterator[str]:
    """The lines of such a file."""
    for row in table.unpack(packed):
        yield f"{row}\n" if isinstance(row, str) else f"{json.dumps(row, separators=(',', ':'), ensure_ascii=False)}\n"


def _head(pipeline: str, schema: int) -> List[str]:
    return [f"pipeline: {_value(pipeline)}\n", f"schema: {schema}\n", "tables:\n"]


def _value(value: Any) -> str:
    """In YAML's flow style."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(name)}: {_value(each)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)


@lru_cache(maxsize=1024)
def _text(text: str) -> str:
    """Names of columns, and most texts in them, come again in every row."""
    if _UNQUOTED.fullmatch(text) and text.lower() not in _ANOTHER_TYPE:
        return text
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))


def as_json(head: Dict[str, Any], tables: Mapping[str, Packed], codecs: Mapping[str, Table]) -> Iterator[str]:
    """One JSON object: what ``head`` has, and ``tables``."""
    yield json.dumps(head, indent=2, sort_keys=True)[:-2] + ',\n  "tables": {'
    for number, (name, packed) in enumerate(tables.items()):
        yield f"{',' if number else ''}\n    {json.dumps(name)}: ["
        for count, row in enumerate(codecs[name].unpack(packed)):
            yield f"{',' if count else ''}\n      {json.dumps(row)}"
        yield "]"
    yield "\n  }\n}\n"
