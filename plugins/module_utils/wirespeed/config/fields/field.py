# SPDX-License-Identifier: GPL-3.0-or-later
"""What all typed fields of a row have in common: a value as people write it, and its bytes in the map."""

from __future__ import annotations

import reprlib
from typing import Any, Callable, Dict, List, Protocol, Sequence

_MOST_KNOWN = 1 << 16
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 60


class Field(Protocol):
    """``encode`` takes a value of YAML or JSON, or the text of a CSV cell, and raises ValueError with half a sentence.

    ``decode`` takes any ``size`` bytes and gives the canonical value: ``decode(encode(x))`` is one way to write x.
    ``bulk`` is ``encode`` of many texts, joined; its ValueError says nothing of which is wrong.
    ``words`` is all that decides what bytes a value becomes. ``schema`` is a JSON Schema of the values.
    """

    @property
    def size(self) -> int: ...

    @property
    def words(self) -> str: ...

    def encode(self, value: Any) -> bytes: ...

    def decode(self, raw: bytes) -> Any: ...

    def bulk(self, texts: Sequence[str]) -> bytes: ...

    def schema(self) -> Dict[str, Any]: ...


def distinct(encode: Callable[[Any], bytes], texts: Sequence[str]) -> bytes:
    """Each text that stands there is encoded once: columns of names, rates and flags have few."""
    return b"".join(map(Known(encode).__getitem__, texts))


class Known(Dict[str, bytes]):
    """Encodes a text when it is first asked for. With too many it forgets all."""

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._encode = encode

    def __missing__(self, text: str) -> bytes:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        found = self[text] = self._encode(text)
        return found


def shown(value: Any) -> str:
    """Shortened, for a message."""
    return _SHOWN.repr(value)


def parts(value: Any) -> List[Any]:
    """Of a list, or of a text that separates them by blanks or commas. Raises ValueError."""
    if isinstance(value, str):
        return value.replace(",", " ").split()
    if isinstance(value, (list, tuple)):
        return list(value)
    raise ValueError("is no list.")
