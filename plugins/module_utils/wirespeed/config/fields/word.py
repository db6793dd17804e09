# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that have names: one of an enum, or several flags of a word."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Sequence

from .field import distinct, parts
from .number import Number


@dataclass(frozen=True)
class _Named(ABC):
    """``names`` are canonical; ``also`` are other spellings of the same, in lower case."""

    number: Number
    names: Mapping[str, int]
    also: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.number.size

    def encode(self, value: Any) -> bytes:
        """Raises ValueError with half a sentence."""
        return self.number.packed(self._number_of(value))

    @abstractmethod
    def _number_of(self, value: Any) -> int: ...

    def bulk(self, texts: Sequence[str]) -> bytes:
        return distinct(self.encode, texts)

    def _one(self, value: Any) -> int:
        text = str(value).strip()
        for known, word in ((self.names, text), (self.names, text.lower()), (self.also, text.lower())):
            if isinstance(value, str) and word in known:
                return known[word]
        near = difflib.get_close_matches(text.lower()[:80], self.names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"is none of {', '.join(self.names)}.{hint}")

    @property
    def _told(self) -> str:
        return " ".join(f"{name}={number}" for name, number in sorted(self.names.items()))

    @property
    def _spellings(self) -> Dict[str, Any]:
        return {"type": "string", "enum": sorted({*self.names, *self.also})}


class Word(_Named):
    """One of them."""

    @property
    def words(self) -> str:
        return f"enum {self.number.words} {self._told}"

    def _number_of(self, value: Any) -> int:
        return self._one(value)

    def decode(self, raw: bytes) -> Any:
        """A number that has no name stays one, so that what others wrote shows."""
        number = self.number.decode(raw)
        return next((name for name, each in self.names.items() if each == number), number)

    def schema(self) -> Dict[str, Any]:
        return self._spellings


class Flags(_Named):
    """``names`` are masks. A list of names, or a text with blanks or commas between them; none is the number 0."""

    @property
    def words(self) -> str:
        return f"flags {self.number.words} {self._told}"

    def _number_of(self, value: Any) -> int:
        number = 0
        for part in parts(value):
            try:
                number |= self._one(part)
            except ValueError as error:
                raise ValueError(f"has {str(part)[:40]!r}, which {error}") from None
        return number

    def decode(self, raw: bytes) -> List[Any]:
        """Bits without a name come last, as a number."""
        number = self.number.decode(raw)
        found: List[Any] = [name for name, mask in self.names.items() if mask and number & mask == mask]
        named = 0
        for name in found:
            named |= self.names[name]
        return found + ([number & ~named] if number & ~named else [])

    def schema(self) -> Dict[str, Any]:
        return {"anyOf": [{"type": "array", "items": self._spellings}, {"type": "string"}]}


def without_prefix(names: Mapping[str, int]) -> Dict[str, int]:
    """``ACTION_PASS, ACTION_DROP`` -> ``pass, drop``; a single name loses nothing."""
    first, last = min(names, default=""), max(names, default="")
    alike = [one == other for one, other in zip(first, last)]
    common = first[: [*alike, False].index(False)] if len(names) > 1 else ""
    front = common.rpartition("_")[0]
    cut = len(front) + 1 if front else 0
    return {name[cut:].lower(): number for name, number in names.items()}
