# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes without a meaning of their own, as hex digits or as a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Sequence

from .field import distinct

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")


@dataclass(frozen=True)
class Hex:
    size: int

    @property
    def words(self) -> str:
        return f"hex{self.size}"

    def encode(self, value: Any) -> bytes:
        digits = "".join(value.split()) if isinstance(value, str) else ""
        if not _HEX.fullmatch(digits) or len(digits) != 2 * self.size:
            raise ValueError(f"is no text of {2 * self.size} hex digits.")
        return bytes.fromhex(digits)

    @staticmethod
    def decode(raw: bytes) -> str:
        return raw.hex()

    def bulk(self, texts: Sequence[str]) -> bytes:
        return distinct(self.encode, texts)

    def schema(self) -> Dict[str, Any]:
        return {"type": "string", "pattern": f"^\\s*([0-9a-fA-F]\\s*){{{2 * self.size}}}$"}


@dataclass(frozen=True)
class Text:
    """UTF-8, ended by a zero byte, so that it has ``size`` - 1 bytes at most."""

    size: int

    @property
    def words(self) -> str:
        return f"text{self.size}"

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str) or "\0" in value:
            raise ValueError("is no text.")
        try:
            told = value.encode()
        except UnicodeEncodeError:
            raise ValueError("is not UTF-8.") from None
        if len(told) >= self.size:
            raise ValueError(f"has {len(told)} bytes; at most {self.size - 1} fit.")
        return told.ljust(self.size, b"\0")

    @staticmethod
    def decode(raw: bytes) -> str:
        return raw.partition(b"\0")[0].decode(errors="backslashreplace")

    def bulk(self, texts: Sequence[str]) -> bytes:
        return distinct(self.encode, texts)

    def schema(self) -> Dict[str, Any]:
        return {"type": "string", "maxLength": self.size - 1}
