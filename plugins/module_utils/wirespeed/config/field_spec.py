# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest says of one column of a table of records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional

TYPES = (
    "integer",
    "bool",
    "port",
    "ipv4",
    "ipv6",
    "prefix",
    "mac",
    "hex",
    "text",
    "enum",
    "flags",
    "duration",
    "rate",
)
ORDERS = ("host", "network")


@dataclass(frozen=True)
class FieldSpec:
    """``member`` is a path in the key or the value; None: the column's own name. ``default`` None: a row must have it.

    ``values`` are the names of an enum's or of flags' numbers. ``references`` is a table, or one of its columns as
    TABLE.COLUMN, in which the value must stand.
    """

    member: Optional[str] = None
    type: Optional[str] = None
    unit: Optional[str] = None
    order: Optional[str] = None
    values: Mapping[str, int] = field(default_factory=dict)
    default: Any = None
    minimum: Optional[int] = None
    maximum: Optional[int] = None
    references: Optional[str] = None
    description: str = ""

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "FieldSpec":
        return cls(**{**said, "values": dict(said.get("values", {}))})

    def to_json(self) -> Dict[str, Any]:
        """What is said, without what is left out."""
        said = {name: value for name, value in vars(self).items() if value is not None}
        return {name: value for name, value in said.items() if value or name not in ("values", "description")}
