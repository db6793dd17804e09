# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``soak``: how long a change must prove itself on the node before it is kept, and by what bounds. Pure.

::

    soak:
      seconds: 30               # once before the change and once after it
      min_packets: 1000         # these four as in a manifest's `health`, and before what that says
      max_change: 0.05
      max_errors: 0
      verdicts: {malformed: {max_share: 0.02}}
      reach: ["192.0.2.1:22"]   # what answered before must answer after
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .errors import BadInput, Place
from .model.intent import unknown_word
from .pipeline.checks import Health

BOUNDS = ("min_packets", "max_change", "max_errors", "verdicts")
KEYS = ("seconds", "reach", *BOUNDS)
_OF_VERDICT = ("max_share", "max_change")
SHORTEST, LONGEST = 0.1, 600
_PORTS = range(1, 1 << 16)

Peer = Tuple[str, int]
"""An address or name, and a TCP port."""


@dataclass(frozen=True)
class Soak:
    """``bounds`` are those of :data:`BOUNDS` that were given, as a manifest's ``health`` has them."""

    seconds: float
    bounds: Mapping[str, Any] = field(default_factory=dict)
    reach: Tuple[Peer, ...] = ()

    def health(self, own: Optional[Health]) -> Health:
        """The bounds for a pipeline whose manifest has ``own``."""
        return Health.from_json({**(own.to_json() if own else {}), **self.bounds, "window": self.seconds})

    def check_names(self, known: Sequence[str], place: Place) -> None:
        """Raises :class:`BadInput` for a bound on a verdict that no pipeline of the run has."""
        for name in self.bounds.get("verdicts", ()):
            if name not in known:
                raise unknown_word(place, f"soak.verdicts.{name}", name, known)


def parse(given: Optional[Mapping[str, Any]], place: Place) -> Optional[Soak]:
    """None where nothing is to be waited for. Raises :class:`BadInput` naming the field and what is allowed."""
    said = _given(given, place, "soak", KEYS)
    if not said:
        return None
    seconds = _number(said.get("seconds", 0), place, "soak.seconds", 0, LONGEST)
    if seconds == 0:
        return None
    if seconds < SHORTEST:
        raise BadInput(place, "soak.seconds", f"is {seconds}.", f"Allowed: 0 (none), and {SHORTEST} to {LONGEST}.")
    bounds: Dict[str, Any] = {}
    for key, low in (("min_packets", 1), ("max_errors", 0)):
        if key in said:
            bounds[key] = int(_number(said[key], place, f"soak.{key}", low, 1 << 62))
    if "max_change" in said:
        bounds["max_change"] = _number(said["max_change"], place, "soak.max_change", 0, 1)
    if "verdicts" in said:
        bounds["verdicts"] = _verdicts(said["verdicts"], place)
    return Soak(seconds, bounds, tuple(_peers(said.get("reach"), place)))


def _verdicts(given: Any, place: Place) -> Dict[str, Dict[str, float]]:
    found: Dict[str, Dict[str, float]] = {}
    for name, bound in _mapping(given, place, "soak.verdicts").items():
        where = f"soak.verdicts.{name}"
        said = _given(bound, place, where, _OF_VERDICT)
        if not said:
            raise BadInput(place, where, "has no bound.", f"Give one of {', '.join(_OF_VERDICT)}.")
        found[name] = {key: _number(value, place, f"{where}.{key}", 0, 1) for key, value in said.items()}
    return found


def _peers(given: Any, place: Place) -> List[Peer]:
    if given is not None and not isinstance(given, (list, tuple)):
        raise BadInput(place, "soak.reach", f"is {given!r}, not a list.")
    return [_peer(peer, place, f"soak.reach[{i}]") for i, peer in enumerate(given or ())]


def _peer(given: Any, place: Place, where: str) -> Peer:
    host, _colon, port = str(given).rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not host or not port.isdecimal() or int(port) not in _PORTS:
        raise BadInput(
            place, where, f"is {given!r}.", "Give an address and a TCP port: '192.0.2.1:22', '[2001:db8::1]:22'."
        )
    return host, int(port)


def _given(given: Any, place: Place, where: str, allowed: Sequence[str]) -> Dict[str, Any]:
    """Ansible has None for what was left out."""
    said = {key: value for key, value in _mapping(given or {}, place, where).items() if value is not None}
    for key in said:
        if key not in allowed:
            raise unknown_word(place, f"{where}.{key}", str(key), allowed)
    return said


def _mapping(given: Any, place: Place, where: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadInput(place, where, f"is {given!r}, not a mapping.")
    return given


def _number(given: Any, place: Place, where: str, low: float, high: float) -> float:
    """A number in quotes is what a template makes of one."""
    try:
        number = float(given) if not isinstance(given, bool) else None
    except (TypeError, ValueError):
        number = None
    if number is None or not low <= number <= high:
        raise BadInput(place, where, f"is {given!r}.", f"Allowed: a number from {low:g} to {high:g}.")
    return number
