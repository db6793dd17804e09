# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that have names: one of an enum, or several flags of a word."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Sequence

from .field import distinct, parts
from .number import Number


@dataclass(frozen=True)
class Word:
    """``names`` are canonical; ``also`` are other spellings of the same, in lower case."""

    number: Number
    names: Mapping[str, int]
    also: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.number.size

    @property
    def words(self) -> str:
        return f"enum {self.number.words} {_told(self.names)}"

    def encode(self, value: Any) -> bytes:
        return self.number.packed(_number(value, self.names, self.also))

    def decode(self, raw: bytes) -> Any:
        """A number that has no name stays one, so that what others wrote shows."""
        number = self.number.decode(raw)
        return next((name for name, each in self.names.items() if each == number), number)

    def bulk(self, texts: Sequence[str]) -> bytes:
        return distinct(self.encode, texts)

    def schema(self) -> Dict[str, Any]:
        return {"type": "string", "enum": sorted({*self.names, *self.also})}


@dataclass(frozen=True)
class Flags:
    """``names`` are masks. A list of names, or a text with blanks or commas between them; none is the number 0."""

    number: Number
    names: Mapping[str, int]
    also: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.number.size

    @property
    def words(self) -> str:
        return f"flags {self.number.words} {_told(self.names)}"

    def encode(self, value: Any) -> bytes:
        number = 0
        for part in parts(value):
            try:
                number |= _number(part, self.names, self.also)
            except ValueError as error:
                raise ValueError(f"has {str(part)[:40]!r}, which {error}") from None
        return self.number.packed(number)

    def decode(self, raw: bytes) -> List[Any]:
        """Bits without a name come last, as a number."""
        number = self.number.decode(raw)
        found: List[Any] = [name for name, mask in self.names.items() if mask and number & mask == mask]
        named = 0
        for name in found:
            named |= self.names[name]
        return found + ([number & ~named] if number & ~named else [])

    def bulk(self, texts: Sequence[str]) -> bytes:
        return distinct(self.encode, texts)

    def schema(self) -> Dict[str, Any]:
        names = {"type": "string", "enum": sorted({*self.names, *self.also})}
        return {"anyOf": [{"type": "array", "items": names}, {"type": "string"}]}


def _number(value: Any, names: Mapping[str, int], also: Mapping[str, int]) -> int:
    text = str(value).strip()
    for known, word in ((names, text), (names, text.lower()), (also, text.lower())):
        if isinstance(value, str) and word in known:
            return known[word]
    near = difflib.get_close_matches(text.lower()[:80], names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"is none of {', '.join(names)}.{hint}")


def _told(names: Mapping[str, int]) -> str:
    return " ".join(f"{name}={number}" for name, number in sorted(names.items()))


def without_prefix(names: Mapping[str, int]) -> Dict[str, int]:
    """``ACTION_PASS, ACTION_DROP`` -> ``pass, drop``; a single name loses nothing."""
    first, last = min(names, default=""), max(names, default="")
    alike = [one == other for one, other in zip(first, last)]
    common = first[: [*alike, False].index(False)] if len(names) > 1 else ""
    front = common.rpartition("_")[0]
    cut = len(front) + 1 if front else 0
    return {name[cut:].lower(): number for name, number in names.items()}
