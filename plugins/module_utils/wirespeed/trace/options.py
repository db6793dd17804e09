# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be traced, and how much of it: checked before anything is touched. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Dict, Mapping, Optional, Tuple

from ..errors import BadInput, Place
from ..model.intent import unknown_word
from .record import ROOM

LONGEST_S = 86400.0
_NUMBERS: Mapping[str, Tuple[float, float]] = {
    "customer": (0, 2**32 - 1),
    "policy": (0, 2**32 - 1),
    "sample": (1, 2**31),
    "snaplen": (1, ROOM),
    "seconds": (0.1, LONGEST_S),
    "max_bytes": (4096, 2**50),
    "rate": (0, 10**9),
    "ring_bytes": (1 << 16, 1 << 30),
}


class By(str, Enum):
    """How packets are seen.

    ``fexit`` at the exit of what the NIC carries, whoever's it is, where the kernel loads BPF trampolines.
    ``build`` from within the pipeline, whose published generation runs once more with its notes on.
    ``auto``  by fexit where that loads, else by the build.
    """

    AUTO = "auto"
    FEXIT = "fexit"
    BUILD = "build"


@dataclass(frozen=True)
class Options:
    """``verdicts`` are names of verdicts or of XDP actions: packets that met any of them. ``sample``: one packet of so
    many.

    ``seconds``, ``max_bytes`` of the file and ``rate``, records a second of all CPUs together (0: no limit), bound the
    trace; ``ring_bytes`` is the ring between kernel and reader. ``swap`` false leaves the pipeline as it is: then only
    the action is known of a packet.
    """

    nic: str
    filter: str = ""
    verdicts: Tuple[str, ...] = ()
    customer: Optional[int] = None
    policy: Optional[int] = None
    sample: int = 1
    snaplen: int = ROOM
    seconds: float = 60.0
    max_bytes: int = 100 * 1000 * 1000
    rate: int = 10000
    ring_bytes: int = 1 << 23
    by: By = By.AUTO
    swap: bool = True

    @classmethod
    def of(cls, said: Mapping[str, Any], place: Place) -> "Options":
        """Raises :class:`BadInput` naming the option, its value and what is allowed."""
        known = [each.name for each in fields(cls)]
        given: Dict[str, Any] = {}
        for name, value in said.items():
            if name not in known:
                raise unknown_word(place, name, name, known)
            if value is not None:
                given[name] = _checked(name, value, place)
        options = cls(**given)
        if not options.swap and options.by is By.BUILD:
            raise BadInput(place, "swap", "is off, but the trace build is put in by a swap.", "Choose fexit, or swap.")
        if not options.swap and (options.customer is not None or options.policy is not None):
            problem = "is off: without its notes the pipeline does not tell whose a packet is."
            raise BadInput(place, "swap", problem, "Leave out customer and policy, or swap.")
        return options


def _checked(name: str, value: Any, place: Place) -> Any:
    if name == "by":
        words = [each.value for each in By]
        if value not in words:
            raise unknown_word(place, name, str(value), words)
        return By(value)
    if name == "verdicts":
        return tuple(value)
    if name in _NUMBERS:
        low, high = _NUMBERS[name]
        if not low <= value <= high:
            raise BadInput(place, name, f"is {value:g}.", f"Allowed: {low:g} to {high:g}.")
    return value
