# SPDX-License-Identifier: GPL-3.0-or-later
"""What a room of ``nic/`` offers: one setting, read, settled and written."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Protocol, Sequence

from ..errors import OutOfRange
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values

_LARGEST = 2**32 - 1
"""What the kernel's messages hold."""


class Room(Protocol):
    """A module with these three functions.

    ``read`` raises :class:`~..errors.NotSupported` where the driver has no such setting.
    ``settle`` is pure: the values as the NIC will hold them, given the other settings as planned
    so far; raises :class:`~..errors.OutOfRange`.
    ``write`` changes only the keys that it is given; raises :class:`~..errors.KernelRefusal`.
    """

    def read(self, port: Port) -> SettingFacts: ...

    def settle(self, facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]: ...

    def write(self, port: Port, values: Values) -> None: ...


class OnDemandRoom(Protocol):
    """As :class:`Room`, for a setting that costs too much to be read each time: ``read`` takes the keys to read.

    No keys: all that there are. Its ``read`` raises :class:`~..errors.ToolFailed` too.
    """

    def read(self, port: Port, keys: Sequence[str]) -> SettingFacts: ...

    def settle(self, facts: SettingFacts, want: Values, planned: Mapping[Setting, Values]) -> Dict[str, Value]: ...

    def write(self, port: Port, values: Values) -> None: ...


def switched(facts: SettingFacts, key: str, value: Value) -> bool:
    """``value`` if it is true or false and this NIC has ``key``, else OutOfRange."""
    _known(facts, key, value)
    if not isinstance(value, bool):
        raise OutOfRange(key, value, "true or false")
    return value


def counted_or_switched(facts: SettingFacts, key: str, value: Value) -> Value:
    """As the NIC's own value of ``key`` is: a switch, or a number from 0."""
    if isinstance(facts.values.get(key), bool):
        return switched(facts, key, value)
    return counted(facts, key, value, 0)


def worded(facts: SettingFacts, key: str, value: Value, words: Sequence[str]) -> str:
    """``value`` if it is one of ``words`` and this NIC has ``key``, else OutOfRange."""
    _known(facts, key, value)
    if value not in words:
        raise OutOfRange(key, value, ", ".join(words))
    return str(value)


def counted(facts: SettingFacts, key: str, value: Value, smallest: int) -> int:
    """``value`` if it is a whole number that ``key`` can hold on this NIC, else OutOfRange."""
    _known(facts, key, value)
    largest: Optional[int] = facts.maxima.get(key)
    allowed = f"{smallest} to {largest}" if largest is not None else f"a whole number from {smallest}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise OutOfRange(key, value, allowed)
    if value < smallest or value > (_LARGEST if largest is None else largest):
        raise OutOfRange(key, value, allowed)
    return value


def power_of_two(value: int) -> int:
    """Rounded up, as the kernel's tables are; 0 stays 0."""
    return 1 << (value - 1).bit_length() if value > 0 else 0


def _known(facts: SettingFacts, key: str, value: Value) -> None:
    if key not in facts.values:
        raise OutOfRange(key, value, f"only {', '.join(sorted(facts.values))}; this NIC has no {key!r}")
