# SPDX-License-Identifier: GPL-3.0-or-later
"""What value the hardware will hold: the driver's range and rounding, as profile data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Tuple

from .. import expression
from ..errors import BadInput
from ..model.settings import Setting, SettingFacts
from .merge import Entry

LOWEST: Mapping[Setting, Mapping[str, int]] = {
    Setting.MTU: {"mtu": 68},  # ETH_MIN_MTU, include/uapi/linux/if_ether.h
    Setting.CHANNELS: {"combined": 1},
    Setting.RINGS: {"rx": 1, "tx": 1},
}


@dataclass(frozen=True)
class Limit:
    """``low`` and ``high`` bound one key (None: not known); then ``multiple`` rounds up, ``power_of_two`` up or down.

    ``also`` are values outside the range that the driver takes for something else, unrounded (0 for off).
    ``becomes`` is the driver's own arithmetic where it is none of the usual. ``fixed`` says why the driver
    cannot change the key at all, empty when it can.
    """

    low: int
    high: Optional[int]
    multiple: int = 1
    power_of_two: str = ""
    fixed: str = ""
    also: Tuple[int, ...] = ()
    becomes: Optional[Callable[[int], int]] = None

    def __str__(self) -> str:
        text = f"at least {self.low}" if self.high is None else f"{self.low} to {self.high}"
        text += "".join(f", {value}" for value in self.also)
        if self.power_of_two:
            text += f", rounded {self.power_of_two} to a power of two"
        elif self.multiple > 1:
            text += f", rounded up to a multiple of {self.multiple}"
        return text

    def contains(self, value: int) -> bool:
        return value in self.also or (self.low <= value and (self.high is None or value <= self.high))

    def clamped(self, value: int) -> int:
        if value in self.also:
            return value
        return max(self.low, value if self.high is None else min(value, self.high))

    def rounded(self, value: int) -> int:
        """As the driver rounds; a result above ``high`` falls to the next lower step."""
        if value in self.also:
            return value
        value = -(-value // self.multiple) * self.multiple
        if self.high is not None and value > self.high:
            value = self.high // self.multiple * self.multiple
        if self.power_of_two and value > 0:
            lower = 1 << (value.bit_length() - 1)
            fits = lower == value or self.power_of_two == "down" or (self.high is not None and 2 * lower > self.high)
            value = lower if fits else 2 * lower
        return self.becomes(value) if self.becomes else value


def limit(setting: Setting, key: str, facts: SettingFacts, entry: Optional[Entry], names: Mapping[str, Any]) -> Limit:
    """The driver's own maximum, narrowed by the profile's ``limits`` entry. Raises :class:`BadInput`."""
    low = LOWEST.get(setting, {}).get(key, 0)
    high = facts.maxima.get(key)
    fixed = "this driver cannot change it" if key in facts.fixed else ""
    if entry is None:
        return Limit(low, high, fixed=fixed)
    lowest = _number(entry, "min", names, low)
    stated = _number(entry, "max", names, high)
    high = stated if high is None or stated is None else min(high, stated)
    if _value(entry, "fixed", names):
        fixed = str(entry.part("why", fixed or "this driver cannot change it"))
    multiple = _number(entry, "multiple", names, 1)
    power_of_two = str(entry.part("power_of_two", ""))
    also = tuple(entry.part("also", ()))
    return Limit(lowest or 0, high, multiple or 1, power_of_two, fixed, also, _becomes(entry, names))


def _becomes(entry: Entry, names: Mapping[str, Any]) -> Optional[Callable[[int], int]]:
    if entry.part("becomes") is None:
        return None

    def arithmetic(value: int) -> int:
        result = _number(entry, "becomes", {**names, "value": value}, value)
        return value if result is None else result

    return arithmetic


def _value(entry: Entry, part: str, names: Mapping[str, Any]) -> Any:
    return expression.evaluate(entry.part(part), names, entry.place, f"{entry.field}.{part}")


def _number(entry: Entry, part: str, names: Mapping[str, Any], default: Optional[int]) -> Optional[int]:
    value = _value(entry, part, names)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(entry.place, f"{entry.field}.{part}", f"gives {value!r}, not a whole number.")
    return value
