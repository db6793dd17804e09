# SPDX-License-Identifier: GPL-3.0-or-later
"""What one table's rows differ in, as the kernel has them and as they are to be: byte by byte. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from operator import itemgetter
from typing import AbstractSet, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from .packed import Buffer, Packed

Rows = List[Tuple[bytes, bytes]]


@dataclass(frozen=True)
class Difference:
    """``added`` and ``changed`` as they are to be, ``before`` what the changed ones hold, ``removed`` with what they
    hold. ``present`` is how many rows there are now."""

    added: Packed
    changed: Packed
    before: Packed
    removed: Packed
    present: int

    @property
    def operations(self) -> int:
        """Elements of a map that are written or deleted."""
        return self.added.count + self.changed.count + self.removed.count

    @property
    def calls(self) -> int:
        """Kinds of calls that it takes: a batch writes or deletes."""
        return int(self.added.count + self.changed.count > 0) + int(self.removed.count > 0)

    def __bool__(self) -> bool:
        return self.operations > 0

    def __str__(self) -> str:
        counts = (("added", self.added), ("changed", self.changed), ("removed", self.removed))
        return ", ".join(f"{rows.count} {what}" for what, rows in counts if rows.count) or "nothing"


def compare(live: Packed, wanted: Packed, torn: AbstractSet[bytes] = frozenset(), by_key: bool = False) -> Difference:
    """``torn`` are keys whose value is not the same for every CPU: such a row is to be written again.

    ``by_key``: a row is there when its key is, whatever a program has counted in its value.
    """
    none = Packed(wanted.key_size, wanted.value_size)
    if not live.count:
        return Difference(wanted, none, none, none, 0)
    if not wanted.count:
        return Difference(none, none, none, live, live.count)
    have = dict(zip(split(live.keys, live.key_size), split(live.values, live.value_size)))
    added: Rows = []
    changed: Rows = []
    before: Rows = []
    for key, value in zip(split(wanted.keys, wanted.key_size), split(wanted.values, wanted.value_size)):
        old = have.pop(key, None)
        if old is None:
            added.append((key, value))
        elif not by_key and (old != value or key in torn):
            changed.append((key, value))
            before.append((key, old))
    parts = [_joined(wanted, rows) for rows in (added, changed, before, have.items())]
    return Difference(parts[0], parts[1], parts[2], parts[3], live.count)


def split(buffer: Buffer, size: int) -> Iterator[bytes]:
    return map(itemgetter(0), struct.iter_unpack(f"{size}s", buffer))


def _joined(like: Packed, rows: Iterable[Tuple[bytes, bytes]]) -> Packed:
    found = list(rows)
    keys, values = (b"".join(map(itemgetter(part), found)) for part in (0, 1))
    return Packed(like.key_size, like.value_size, keys, values)


def there(packed: Packed, spared: Optional[AbstractSet[bytes]] = None) -> Packed:
    """Of an array, whose elements are all there at all times: those that are not zero, or are among ``spared``."""
    rows = zip(split(packed.keys, packed.key_size), split(packed.values, packed.value_size))
    kept = spared or frozenset()
    return _joined(packed, (row for row in rows if row[1].strip(b"\0") or row[0] in kept))


def total(differences: Mapping[str, Difference]) -> int:
    """Operations of all tables."""
    return sum(each.operations for each in differences.values())


def counted(differences: Mapping[str, Difference]) -> Dict[str, Dict[str, int]]:
    """For a report: the tables that differ, with the rows that do."""
    return {
        name: {"added": each.added.count, "changed": each.changed.count, "removed": each.removed.count}
        for name, each in differences.items()
        if each
    }
