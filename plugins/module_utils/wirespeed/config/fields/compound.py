# SPDX-License-Identifier: GPL-3.0-or-later
"""Several values in one field: arrays, and structs within arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from .field import Field, distinct, parts, shown


@dataclass(frozen=True)
class Array:
    """Elements that are left out at the end are zero, and zeros at the end are not shown."""

    element: Field
    count: int

    @property
    def size(self) -> int:
        return self.element.size * self.count

    @property
    def words(self) -> str:
        return f"{self.element.words}[{self.count}]"

    def encode(self, value: Any) -> bytes:
        given = parts(value)
        if len(given) > self.count:
            raise ValueError(f"has {len(given)} elements; at most {self.count} fit.")
        found = []
        for number, part in enumerate(given):
            try:
                found.append(self.element.encode(part))
            except ValueError as error:
                raise ValueError(f"has {shown(part)} as element {number}, which {error}") from None
        return b"".join(found).ljust(self.size, b"\0")

    def decode(self, raw: bytes) -> List[Any]:
        width = self.element.size
        end = -(-len(raw.rstrip(b"\0")) // width) * width
        return [self.element.decode(raw[at : at + width]) for at in range(0, end, width)]

    def bulk(self, texts: Sequence[str]) -> bytes:
        return distinct(self.encode, texts)

    def schema(self) -> Dict[str, Any]:
        listed = {"type": "array", "items": self.element.schema(), "maxItems": self.count}
        return {"anyOf": [listed, {"type": "string"}]}


@dataclass(frozen=True)
class Structure:
    """``members`` are name, offset and field; all of them must be given. A CSV cell cannot have one."""

    size: int
    members: Tuple[Tuple[str, int, Field], ...]

    @property
    def words(self) -> str:
        return f"struct{self.size} " + " ".join(f"{name}@{at} {member.words}" for name, at, member in self.members)

    def encode(self, value: Any) -> bytes:
        names = [member[0] for member in self.members]
        if not isinstance(value, Mapping) or set(value) != set(names):
            raise ValueError(f"is no mapping of {', '.join(names)}.")
        found = bytearray(self.size)
        for name, at, member in self.members:
            try:
                found[at : at + member.size] = member.encode(value[name])
            except ValueError as error:
                raise ValueError(f"has {shown(value[name])} as {name}, which {error}") from None
        return bytes(found)

    def decode(self, raw: bytes) -> Dict[str, Any]:
        return {name: member.decode(raw[at : at + member.size]) for name, at, member in self.members}

    def bulk(self, texts: Sequence[str]) -> bytes:
        return distinct(self.encode, texts)

    def schema(self) -> Dict[str, Any]:
        members = {name: member.schema() for name, dummy, member in self.members}
        return {"type": "object", "properties": members, "required": sorted(members), "additionalProperties": False}
