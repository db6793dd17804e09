# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivered rows for tables of another layout, as a new object has them: by their text, as a document says it. Pure.

What a member was called, in which unit and where it lay is the old table's matter, what it is now the new one's;
migrations of the manifest come in between.
"""

from __future__ import annotations

from typing import Mapping

from ..errors import Place
from .compiled import Compiled
from .document import compile_document, given
from .section import Section
from .tables import Table


def converted(
    compiled: Compiled, before: Mapping[str, Table], section: Section, tables: Mapping[str, Table]
) -> Compiled:
    """``before`` are the tables that it was compiled for. Raises :class:`BadInput` for a row that the new tables
    cannot hold, and for a table with rows that is gone."""
    rows = {name: list(before[name].unpack(packed)) for name, packed in compiled.tables.items() if packed.count}
    said = {"pipeline": compiled.pipeline, "schema": compiled.schema, "tables": rows}
    document = given(said, Place(f"configuration {compiled.digest[:12]}"))
    return compile_document(document, compiled.pipeline, section, tables)
