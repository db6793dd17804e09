# SPDX-License-Identifier: GPL-3.0-or-later
"""Lay profiles over one another. The rules, all of them:

* Profiles are laid weakest first (``match.py`` says which is weaker); the last one to speak wins.
* What is replaced as a whole is one *entry*. Entries are, by section:

  ==================== ===========================================================
  ``tuning``           one key of one setting (``rings.rx``), with its why and source
  ``limits``           one key of one setting
  ``reads_attached``   one key of one setting
  ``operations``       one operation
  ``constraints``      one condition, by its id
  ``findings``         one finding, by its id
  ``undone_by``        the list of one setting
  ``reset_by``         one setting
  ``lifted_for``       one setting
  ``counters``         the list of one counter
  ``native``           itself
  ``redirect_target``  itself
  ``order``            the whole list
  ==================== ===========================================================

* Inside one profile, ``tuning`` of the workload is laid over ``tuning: all``; a stronger profile's
  ``all`` is laid over a weaker one's workload section.
* Lists are never joined: a list is part of an entry.
* ``null`` removes the entry that weaker profiles gave.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from ..errors import Place
from .document import Document, Path

DEPTH: Mapping[str, int] = {
    "limits": 2,
    "reads_attached": 2,
    "operations": 1,
    "constraints": 1,
    "findings": 1,
    "undone_by": 1,
    "reset_by": 1,
    "lifted_for": 1,
    "counters": 1,
    "native": 0,
    "redirect_target": 0,
    "order": 0,
}
"""How many keys below a section's name lead to an entry; ``tuning`` has its workload in between."""


@dataclass(frozen=True)
class Entry:
    """One winning entry: ``value`` as written, and where."""

    value: Any
    document: Document
    path: Path

    @property
    def place(self) -> Place:
        return self.document.place(self.path)

    @property
    def field(self) -> str:
        return ".".join(self.path)

    def part(self, name: str, default: Any = None) -> Any:
        """``value`` itself may stand for its main part: ``rx: 512`` for ``rx: {value: 512}``."""
        if isinstance(self.value, Mapping):
            return self.value.get(name, default)
        return self.value if name == "value" else default


class Merged:
    """Entries by path: ``("tuning", "rings", "rx")``, ``("operations", "attach")``, ``("order",)``."""

    def __init__(self) -> None:
        self._entries: Dict[Path, Entry] = {}

    def lay(self, key: Path, entry: Entry) -> None:
        if entry.value is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = entry

    def get(self, *key: str) -> "Entry | None":
        return self._entries.get(key)

    def section(self, *key: str) -> Dict[str, Entry]:
        """The entries right below a path, by their last key."""
        return {path[-1]: each for path, each in self._entries.items() if path[:-1] == key}

    @property
    def digest(self) -> str:
        """Twelve hex digits over what was merged, comments and order of files aside."""
        text = json.dumps(sorted(("/".join(path), each.value) for path, each in self._entries.items()), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def merge(documents: Sequence[Document], workload: str) -> Merged:
    merged = Merged()
    for document in documents:
        for section in ("all", workload):
            for path, value in _entries(document.data, ("tuning", section), 2):
                merged.lay(("tuning", *path[2:]), Entry(value, document, path))
        for section, depth in DEPTH.items():
            for path, value in _entries(document.data, (section,), depth):
                merged.lay(path, Entry(value, document, path))
    return merged


def _entries(data: Mapping[str, Any], path: Path, depth: int) -> Iterator[Tuple[Path, Any]]:
    """The entries that lie ``depth`` keys below ``path``."""
    value: Any = data
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return
        value = value[key]
    level: List[Tuple[Path, Any]] = [(path, value)]
    for dummy in range(depth):
        level = [((*at, key), item) for at, each in level for key, item in (each or {}).items()]
    yield from level
