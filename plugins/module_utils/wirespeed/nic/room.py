# SPDX-License-Identifier: GPL-3.0-or-later
"""What a room of ``nic/`` offers: one setting, read, settled and written."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Protocol

from ..errors import OutOfRange
from ..kernel.port import Port
from ..model.settings import Setting, SettingFacts, Value, Values


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


def counted(facts: SettingFacts, key: str, value: Value, smallest: int) -> int:
    """``value`` if it is a whole number that ``key`` can hold on this NIC, else OutOfRange."""
    if key not in facts.values:
        raise OutOfRange(key, value, f"only {', '.join(sorted(facts.values))}; this NIC has no {key!r}")
    largest: Optional[int] = facts.maxima.get(key)
    allowed = f"{smallest} to {largest}" if largest is not None else f"a whole number from {smallest}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise OutOfRange(key, value, allowed)
    if value < smallest or (largest is not None and value > largest):
        raise OutOfRange(key, value, allowed)
    return value
