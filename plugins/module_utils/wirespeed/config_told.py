# SPDX-License-Identifier: GPL-3.0-or-later
"""Deliveries, differences and the live configuration as plain data, for the command line and the modules."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import islice
from typing import Any, Dict, List, Mapping, Sequence

from .config.difference import Difference, counted
from .config.packed import Packed
from .config.tables import Table
from .config_engine import Delivered, Shown, Told
from .errors import Place
from .model.intent import unknown_word

MOST_ROWS = 50
"""Of one kind and table; the counts beside them are of all."""


def delivered(found: Delivered) -> Dict[str, Any]:
    told = asdict(found)
    told["tables"] = {name: dict(counts) for name, counts in found.tables.items()}
    return told


def changes(differences: Mapping[str, Difference], tables: Mapping[str, Table]) -> Dict[str, Any]:
    """By table that differs: how many rows are added, changed and removed, and the first :data:`MOST_ROWS` of each."""
    told: Dict[str, Any] = {}
    for name, counts in counted(differences).items():
        found, table = differences[name], tables[name]
        pairs = zip(rows(table, found.before), rows(table, found.changed))
        told[name] = {
            **counts,
            "rows": {
                "added": rows(table, found.added),
                "changed": [{"before": before, "after": after} for before, after in pairs],
                "removed": rows(table, found.removed),
            },
        }
    return told


def rows(table: Table, packed: Packed, most: int = MOST_ROWS) -> List[Any]:
    return list(islice(table.unpack(packed), most))


def before_and_after(told: Mapping[str, Any]) -> Dict[str, str]:
    """Of :func:`changes`, a line a row, as Ansible's ``--diff`` compares texts."""
    before: List[str] = []
    after: List[str] = []
    for name, found in told.items():
        shown = found["rows"]
        before += [_line(name, row) for row in (*shown["removed"], *[each["before"] for each in shown["changed"]])]
        after += [_line(name, row) for row in (*[each["after"] for each in shown["changed"]], *shown["added"])]
        more = sum(max(0, found[kind] - MOST_ROWS) for kind in ("added", "changed", "removed"))
        after += [f"{name}: and {more} more rows differ"] if more else []
    return {"before": _text(before), "after": _text(after)}


def counts_as_text(tables: Mapping[str, Mapping[str, int]]) -> Dict[str, str]:
    """For ``--diff`` where the rows themselves are on the node alone."""
    lines = [f"{name}: {count} {kind}" for name, counts in tables.items() for kind, count in counts.items() if count]
    return {"prepared": _text(lines)}


def _line(table: str, row: Any) -> str:
    return f"{table}: {row if isinstance(row, str) else json.dumps(row, sort_keys=True)}"


def _text(lines: List[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def standing(found: Shown) -> Dict[str, Any]:
    """Without the rows that are as they were delivered."""
    return {
        "pipeline": found.pipeline,
        "generation": found.generation,
        "version": found.version,
        "digest": found.digest,
        "rows": {name: packed.count for name, packed in found.tables.items()},
        "drift": changes(found.drift, found.codecs),
        "warnings": list(found.warnings),
    }


def rows_of(found: Shown, tables: Sequence[str], most: int) -> Dict[str, List[Any]]:
    """The first rows of these tables. Raises :class:`BadInput` for one that the pipeline has not."""
    for name in tables:
        if name not in found.tables:
            raise unknown_word(Place("config_info"), "tables", name, list(found.tables))
    return {name: rows(found.codecs[name], found.tables[name], most) for name in tables}


def history(found: Told) -> Dict[str, Any]:
    """Newest first; ``kept``: whether a rollback can go to it."""
    deliveries = [{**each.to_json(), "kept": each.digest in found.kept} for each in reversed(found.deliveries)]
    return {"version": found.version, "deliveries": deliveries, "warnings": list(found.warnings)}
