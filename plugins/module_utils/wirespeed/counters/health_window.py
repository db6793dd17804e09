# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pipeline and the NICs that carry it counted in one window of the health gate. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, Mapping, Optional


@dataclass(frozen=True)
class Growth:
    """At least ``low``, at most ``high``; equal when nothing moved at the ends of the window."""

    low: int
    high: int


@dataclass(frozen=True)
class NicWindow:
    """``frames`` certainly came in and should have a verdict; None is not told.

    ``errors`` by unified counter; None is not told, never zero. ``why`` says why nothing at all is told.
    """

    frames: Optional[int] = None
    errors: Mapping[str, Optional[Growth]] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True)
class HealthWindow:
    """``verdicts`` are packets by verdict name, of all CPUs; None when they cannot be told, and ``why`` says why.

    ``generation`` is what was published at its end. ``unseen`` packets met an empty slot. ``findings`` are sentences on
    what should hold and did not, by a key that is the same in every window; ``sound`` has the keys of what did hold.
    What is in neither could not be judged.
    """

    seconds: float
    verdicts: Optional[Mapping[str, int]]
    generation: Optional[str] = None
    why: str = ""
    unseen: int = 0
    nics: Mapping[str, NicWindow] = field(default_factory=dict)
    findings: Mapping[str, str] = field(default_factory=dict)
    sound: FrozenSet[str] = frozenset()
    ended_early: bool = False

    @property
    def packets(self) -> int:
        return sum((self.verdicts or {}).values())

    def count(self, verdict: str) -> int:
        return (self.verdicts or {}).get(verdict, 0)

    def to_json(self) -> Dict[str, Any]:
        """``verdicts``, ``frames`` and errors are null where they are not told."""
        return {
            "seconds": round(self.seconds, 6),
            "ended_early": self.ended_early,
            "generation": self.generation,
            "packets": self.packets,
            "verdicts": None if self.verdicts is None else dict(self.verdicts),
            "why": self.why,
            "empty_slot": self.unseen,
            "nics": {name: _nic_json(nic) for name, nic in self.nics.items()},
            "findings": list(self.findings.values()),
        }


def _nic_json(nic: NicWindow) -> Dict[str, Any]:
    errors = {name: None if grown is None else [grown.low, grown.high] for name, grown in nic.errors.items()}
    return {"frames": nic.frames, "errors": errors, "why": nic.why}
