# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing that another kernel changes for a node, and how grave it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Severity(str, Enum):
    """The worst first.

    ``breaks``   the intent cannot be reached any more, or a NIC is not there.
    ``changes``  the node will behave, cost or count otherwise.
    ``informs``  nothing that the intent or a profile makes use of.
    """

    BREAKS = "breaks"
    CHANGES = "changes"
    INFORMS = "informs"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)

    def __str__(self) -> str:
        return self.value


class Aspect(str, Enum):
    """What of a node a change is about; the order of a report."""

    KERNEL = "kernel"
    DRIVER = "driver"
    PLAN = "plan"
    XDP = "xdp"
    CONDITION = "condition"
    COST = "cost"
    TUNING = "tuning"
    PRIVATE_FLAG = "private flag"
    COUNTER = "counter"
    PARAMETER = "module parameter"
    FIRMWARE = "firmware"
    PROFILE = "profile"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Change:
    """``subject`` is a NIC's name, or ``node``; ``before`` and ``after`` are plain values, None for nothing.

    ``why`` says what it means or where it stands.
    """

    subject: str
    aspect: Aspect
    key: str
    severity: Severity
    before: Any
    after: Any
    why: str = ""
