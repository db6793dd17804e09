# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations and rates with their units: ``250ms``, ``10kpps``, ``100Mbit``, ``5/s``.

A plain number is in the field's own unit. What is not a whole number of that unit is refused, never rounded. Prefixes
of rates are decimal, as networks count: k is 1000.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from .field import Known
from .number import Number

_DURATIONS = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
}
_THOUSANDS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_COUNTED = {"pps": Fraction(1), "/s": Fraction(1), "/m": Fraction(1, 60), "/h": Fraction(1, 3600)}
_VOLUME = {"bit": Fraction(1, 8), "bit/s": Fraction(1, 8), "B/s": Fraction(1)}
DURATION_UNITS = tuple(_DURATIONS)
RATE_UNITS = ("pps", "/s", "bit", "byte")
_TEXT = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,12}))? ?([A-Za-z/]{0,8})")


@dataclass(frozen=True)
class Quantity:
    """``own`` is the field's unit and ``units`` those that a text may have, all as multiples of the same.

    ``shown`` are the units of the canonical text, largest first; the last is the field's own.
    """

    number: Number
    kind: str
    own: Fraction
    units: Mapping[str, Fraction]
    shown: Tuple[str, ...]

    @property
    def size(self) -> int:
        return self.number.size

    @property
    def words(self) -> str:
        return f"{self.kind} of {self.own} {self.number.words}"

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str):
            return self.number.encode(value)
        matched = _TEXT.fullmatch(value.strip())
        if not matched or matched[3] not in ("", *self.units):
            raise ValueError(f"is no {self.kind}, such as {self._example}.")
        whole, decimals, unit = matched[1], matched[2] or "", matched[3]
        amount = Fraction(int(whole + decimals), 10 ** len(decimals))
        found = amount * (self.units[unit] / self.own if unit else 1)
        if found.denominator != 1:
            raise ValueError(f"is no whole number of {self._unit}, in which the map has it.")
        return self.number.packed(int(found))

    def decode(self, raw: bytes) -> str:
        total = self.number.decode(raw) * self.own
        unit = next((unit for unit in self.shown if total and (total / self.units[unit]).denominator == 1), self._unit)
        return f"{total / self.units[unit]}{unit}"

    def bulk(self, texts: Sequence[str]) -> bytes:
        return b"".join(map(self._known.__getitem__, texts))

    @cached_property
    def _known(self) -> Known:
        """Kept from one piece of a file to the next: fractions take their time."""
        return Known(self.encode)

    def schema(self) -> Dict[str, Any]:
        units = "|".join(re.escape(unit) for unit in self.units)
        number = {"type": "integer", "minimum": self.number.least, "maximum": self.number.most}
        text = {"type": "string", "pattern": f"^[0-9]+(\\.[0-9]+)? ?({units})?$"}
        return {"anyOf": [number, text], "examples": list(self._examples)}

    @property
    def _unit(self) -> str:
        return self.shown[-1]

    @property
    def _examples(self) -> List[str]:
        return [f"10{unit}" for unit in self.shown]

    @property
    def _example(self) -> str:
        return " or ".join(self._examples[-2:])


def duration(number: Number, unit: str) -> Quantity:
    """``unit`` is one of :data:`DURATION_UNITS`."""
    shown = [name for name, length in reversed(list(_DURATIONS.items())) if length >= _DURATIONS[unit]]
    return Quantity(number, "duration", _DURATIONS[unit], _DURATIONS, tuple(shown))


def rate(number: Number, unit: str) -> Quantity:
    """``unit`` is one of :data:`RATE_UNITS`: packets or events each second, or bits or bytes each second."""
    counted = unit in _COUNTED
    words = {
        front + word: times * amount
        for front, times in _THOUSANDS.items()
        for word, amount in (_COUNTED if counted else _VOLUME).items()
    }
    base = "B/s" if unit == "byte" else unit
    shown = tuple(front + base for front in reversed(list(_THOUSANDS)))
    return Quantity(number, "rate", words[base], words, shown)
