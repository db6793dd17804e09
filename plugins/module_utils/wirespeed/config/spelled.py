# SPDX-License-Identifier: GPL-3.0-or-later
"""What tables differ in as text, of bounded length: the counts of all rows, and the first rows of each kind. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, Dict, Iterator, List, Mapping, Tuple

from .difference import Difference
from .packed import Packed
from .tables import Table

SHOWN = 20
"""Rows of each kind and table."""
_MARKS = {"added": "+", "changed": "~", "removed": "-"}


@dataclass(frozen=True)
class Spelled:
    """Of one table. ``counts`` by kind are of all rows, the rows themselves are the first few. ``changed`` are pairs of
    what a row holds and what it is to hold."""

    table: str
    counts: Mapping[str, int]
    added: Tuple[str, ...]
    changed: Tuple[Tuple[str, str], ...]
    removed: Tuple[str, ...]

    def to_json(self) -> Dict[str, Any]:
        changed = [{"before": before, "after": after} for before, after in self.changed]
        rows = {"added": list(self.added), "changed": changed, "removed": list(self.removed)}
        return {**self.counts, "rows": rows}

    def lines(self) -> Iterator[str]:
        """``+`` a row, ``-`` a row, ``~`` a row as it was ``->`` as it is to be."""
        yield f"{self.table}: {', '.join(f'{count} {kind}' for kind, count in self.counts.items() if count)}"
        changed = tuple(f"{before} -> {after}" for before, after in self.changed)
        for kind, rows in (("removed", self.removed), ("changed", changed), ("added", self.added)):
            yield from (f"  {_MARKS[kind]} {row}" for row in rows)
            if self.counts[kind] > len(rows):
                yield f"  {_MARKS[kind]} and {self.counts[kind] - len(rows)} more"

    def halves(self) -> Tuple[List[str], List[str]]:
        """The lines of before and of after, for a comparison of texts."""
        before = [*self.removed, *(pair[0] for pair in self.changed)]
        after = [*(pair[1] for pair in self.changed), *self.added]
        return self._half(before, ("removed", "changed")), self._half(after, ("changed", "added"))

    def _half(self, rows: List[str], kinds: Tuple[str, str]) -> List[str]:
        shown = [f"{self.table}: {row}" for row in sorted(rows)]
        more = sum(self.counts[kind] for kind in kinds) - len(rows)
        return [*shown, f"{self.table}: and {more} more"] if more else shown


def spelled(
    differences: Mapping[str, Difference], codecs: Mapping[str, Table], shown: int = SHOWN
) -> Tuple[Spelled, ...]:
    """Of the tables that differ, by name."""
    return tuple(_table(codecs[name], each, shown) for name, each in sorted(differences.items()) if each)


def _table(table: Table, change: Difference, shown: int) -> Spelled:
    pairs = zip(_texts(table, change.before, shown), _texts(table, change.changed, shown))
    counts = {"added": change.added.count, "changed": change.changed.count, "removed": change.removed.count}
    added, removed = _texts(table, change.added, shown), _texts(table, change.removed, shown)
    return Spelled(table.name, counts, added, tuple(pairs), removed)


def _texts(table: Table, rows: Packed, shown: int) -> Tuple[str, ...]:
    return tuple(table.text(key, value) for key, value in islice(rows.items(), shown))
