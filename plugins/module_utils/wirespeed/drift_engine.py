# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a node is not as it should be: its plan, and the rows of the documents that were delivered."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping

from . import delivering, engine
from .config.packed import Packed
from .config.tables import Table
from .errors import Refused
from .pipeline.pins import Paths

_SHOWN_ROWS = 64


def look(intent: Mapping[str, Any], bundle: Mapping[str, Any], source: str = "intent") -> Dict[str, Any]:
    """As :func:`engine.converge` in check mode, and among ``deviations`` also what somebody wrote into tables that a
    document fills: no run of that puts it back, a delivery does. Changes nothing, and raises as that does."""
    try:
        return _with_rows(engine.converge(intent, bundle, True, source))
    except Refused as refused:
        if "deviations" in refused.outcome:
            refused.outcome = _with_rows(refused.outcome)
        raise


def _with_rows(result: Mapping[str, Any]) -> Dict[str, Any]:
    found = [each for row in result["pipelines"] if row["config_version"] is not None for each in _rows(row["name"])]
    return {**result, "deviations": [*result["deviations"], *found]}


def _rows(pipeline: str) -> Iterator[Dict[str, Any]]:
    paths = Paths.from_environment()
    live = delivering.live(paths, pipeline)
    standing = delivering.standing(paths, live, live.tables().held(list(live.source.tables)))
    for name, difference in standing.drift.items():
        table = live.source.tables[name]
        yield {
            "kind": "config",
            "path": f"{pipeline}.{name}",
            "target": pipeline,
            "want": _side(table, difference.added, difference.changed),
            "have": _side(table, difference.removed, difference.before),
            "why": f"{difference.turned} since version {standing.version} was delivered; deliver it again",
            "origin": f"version {standing.version}",
            "disruption": "none",
        }


def _side(table: Table, *parts: Packed) -> Dict[str, Any]:
    """The first rows as documents have them."""
    rows: List[Any] = []
    for part in parts:
        for key, value in part.items():
            if len(rows) == _SHOWN_ROWS:
                return {"rows": [*rows, f"… {sum(each.count for each in parts)} in all"]}
            rows.append(table.row(key, value))
    return {"rows": rows}
