# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest asks to be checked about a pipeline: packets before it is live, shares of verdicts afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from ..model.row import row_text

Packet = Union[str, Mapping[str, Any]]
"""A frame in hex digits, or the layers that ``packet.py`` builds one from."""


@dataclass(frozen=True)
class Fixture:
    """A packet, and what must become of it in a program that nobody else uses.

    ``tables`` are rows written before it; ``needs`` constants without which it is left out; ``expect`` a verdict's
    name; ``action`` the XDP action, which is the verdict's own where it is left out; ``output`` the frame afterwards,
    in hex digits.
    """

    name: str
    packet: Packet
    tables: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    expect: Optional[str] = None
    action: Optional[str] = None
    output: Optional[str] = None
    needs: Tuple[str, ...] = ()

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Fixture":
        tables = {name: tuple(map(row_text, rows)) for name, rows in said.get("tables", {}).items()}
        texts = {name: said.get(name) for name in ("expect", "action", "output")}
        return cls(said["name"], said["packet"], tables, **texts, needs=tuple(said.get("needs", ())))

    def to_json(self) -> Dict[str, Any]:
        said: Dict[str, Any] = {"name": self.name, "packet": self.packet}
        if self.tables:
            said["tables"] = {name: list(rows) for name, rows in self.tables.items()}
        if self.needs:
            said["needs"] = list(self.needs)
        texts = {"expect": self.expect, "action": self.action, "output": self.output}
        return {**said, **{name: text for name, text in texts.items() if text is not None}}


@dataclass(frozen=True)
class Bound:
    """Shares of all packets, from 0 to 1: ``max_share`` within the window after a publish, ``max_change`` against the
    window before it, up or down."""

    max_share: Optional[float] = None
    max_change: Optional[float] = None


@dataclass(frozen=True)
class Health:
    """The gate after a publish. ``window`` in seconds, each before and after; with fewer than ``min_packets`` in
    either, shares tell nothing. ``max_change`` bounds every verdict that ``verdicts`` does not name;
    ``max_errors`` is how many more errors than in the window before the NICs may count.
    """

    window: float
    min_packets: int = 1000
    max_change: Optional[float] = None
    verdicts: Mapping[str, Bound] = field(default_factory=dict)
    max_errors: int = 0

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Health":
        bounds = {name: Bound(**bound) for name, bound in said.get("verdicts", {}).items()}
        usual = cls(said["window"])
        return cls(
            window=said["window"],
            min_packets=said.get("min_packets", usual.min_packets),
            max_change=said.get("max_change"),
            verdicts=bounds,
            max_errors=said.get("max_errors", usual.max_errors),
        )

    def to_json(self) -> Dict[str, Any]:
        bounds = {
            name: {key: share for key, share in vars(bound).items() if share is not None}
            for name, bound in self.verdicts.items()
        }
        said = {"window": self.window, "min_packets": self.min_packets, "max_errors": self.max_errors}
        return {**said, "verdicts": bounds, **({} if self.max_change is None else {"max_change": self.max_change})}
