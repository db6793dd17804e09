# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest says of the documents that configure its pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Tuple

from .migrations import Migration


@dataclass(frozen=True)
class Section:
    """``schema`` is the current version. ``delivery`` are the strategies that may be used; none: all that the object
    can."""

    schema: int = 1
    migrations: Tuple[Migration, ...] = ()
    delivery: Tuple[str, ...] = ()

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Section":
        migrations = tuple(Migration.from_json(each) for each in said.get("migrations", ()))
        return cls(said.get("schema", 1), migrations, tuple(said.get("delivery", ())))

    def to_json(self) -> Dict[str, Any]:
        migrations = [migration.to_json() for migration in self.migrations]
        return {"schema": self.schema, "migrations": migrations, "delivery": list(self.delivery)}
