# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole numbers of any size, sign and byte order, and truth values."""

from __future__ import annotations

import re
import sys
from array import array
from dataclasses import dataclass
from typing import Any, Dict, Optional, Sequence

from .field import distinct

BIG = "big"
NATIVE = sys.byteorder
LARGEST_PORT = 65535
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_TEXT = re.compile(r"-?(?:0[xX][0-9a-fA-F]{1,32}|[0-9]{1,40})")
_TRUTHS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


@dataclass(frozen=True)
class Number:
    """``order`` is that of the bytes, ``big`` or ``little``. ``minimum`` and ``maximum`` narrow what the
    size allows.
    """

    size: int
    signed: bool = False
    order: str = NATIVE
    minimum: Optional[int] = None
    maximum: Optional[int] = None

    @property
    def least(self) -> int:
        natural = -(1 << 8 * self.size - 1) if self.signed else 0
        return natural if self.minimum is None else max(natural, self.minimum)

    @property
    def most(self) -> int:
        natural = (1 << 8 * self.size - self.signed) - 1
        return natural if self.maximum is None else min(natural, self.maximum)

    @property
    def words(self) -> str:
        return f"{'s' if self.signed else 'u'}{self.size * 8} {self.order}"

    def encode(self, value: Any) -> bytes:
        number = value
        if isinstance(value, str) and _TEXT.fullmatch(value.strip()):
            text = value.strip()
            number = int(text, 16) if "x" in text or "X" in text else int(text)
        if isinstance(number, bool) or not isinstance(number, int):
            raise ValueError(f"is no whole number from {self.least} to {self.most}.")
        return self.packed(number)

    def packed(self, number: int) -> bytes:
        """Raises ValueError for one out of range."""
        if not self.least <= number <= self.most:
            raise ValueError(f"is not from {self.least} to {self.most}.")
        return number.to_bytes(self.size, "big" if self.order == BIG else "little", signed=self.signed)

    def decode(self, raw: bytes) -> int:
        return int.from_bytes(raw, "big" if self.order == BIG else "little", signed=self.signed)

    def bulk(self, texts: Sequence[str]) -> bytes:
        together = "".join(texts)
        if not (together.isascii() and together.isdigit()) or self.size not in _CODES:
            return distinct(self.encode, texts)
        code = _CODES[self.size]
        try:
            found = array(code.lower() if self.signed else code, map(int, texts))
        except OverflowError:
            raise ValueError from None
        narrowed = self.minimum is not None or self.maximum is not None
        if narrowed and not self.least <= min(found) <= max(found) <= self.most:
            raise ValueError
        if self.order != NATIVE:
            found.byteswap()
        return found.tobytes()

    def schema(self) -> Dict[str, Any]:
        number = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return {"anyOf": [number, {"type": "string", "pattern": "^-?(0[xX][0-9a-fA-F]+|[0-9]+)$"}]}


@dataclass(frozen=True)
class Truth:
    """A byte that is 0 or 1; any other byte decodes to true, as a C program takes it."""

    size: int = 1

    @property
    def words(self) -> str:
        return f"bool{self.size * 8}"

    def encode(self, value: Any) -> bytes:
        said = _TRUTHS.get(str(value).strip().lower())
        if said is None:
            raise ValueError("is neither true nor false.")
        return int(said).to_bytes(self.size, NATIVE)

    @staticmethod
    def decode(raw: bytes) -> bool:
        return any(raw)

    def bulk(self, texts: Sequence[str]) -> bytes:
        return distinct(self.encode, texts)

    @staticmethod
    def schema() -> Dict[str, Any]:
        return {"enum": [True, False, 0, 1, "true", "false", "yes", "no", "1", "0"]}
