# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest says of a map's health: how full is too full, whose its entries are, and what counts them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional

from ..errors import BadInput, Place
from ..kernel.bpf_map import ARRAY, PERCPU_ARRAY, PERCPU_TYPES
from ..kernel.btf import Btf, Leaf, MapDefinition
from ..model.intent import unknown_word

NUMBER_BYTES = 8
"""Of a counter, and at most of a member that tells an entity."""

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")


@dataclass(frozen=True)
class Counter:
    """A number of 64 bits at ``index`` of the array ``map``, per CPU or not, in which the program counts an event."""

    map: str
    index: int


@dataclass(frozen=True)
class MapLimits:
    """``warning`` and ``critical`` are shares of the map, ``full_within`` seconds: a map that would be full within them
    is warned of. ``share_of`` is the member of the key, or else of the value, whose numbers are the entities.
    ``made`` counts entries that were put in, ``failed`` those that had no room."""

    warning: float = 0.7
    critical: float = 0.9
    full_within: int = 600
    share_of: str = ""
    made: Optional[Counter] = None
    failed: Optional[Counter] = None

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "MapLimits":
        usual = cls()
        return cls(
            warning=_share(said["warning"]) if "warning" in said else usual.warning,
            critical=_share(said["critical"]) if "critical" in said else usual.critical,
            full_within=_seconds(said["full_within"]) if "full_within" in said else usual.full_within,
            share_of=said.get("share_of", ""),
            made=Counter(**said["made"]) if said.get("made") else None,
            failed=Counter(**said["failed"]) if said.get("failed") else None,
        )

    def to_json(self) -> Dict[str, Any]:
        """What differs from the defaults, which may change with a version of ours."""
        usual, said = MapLimits(), vars(self)
        words: Dict[str, Any] = {
            "warning": f"{100 * self.warning:g}%",
            "critical": f"{100 * self.critical:g}%",
            "full_within": f"{self.full_within}s",
            "share_of": self.share_of,
            "made": self.made and vars(self.made).copy(),
            "failed": self.failed and vars(self.failed).copy(),
        }
        return {name: words[name] for name, value in said.items() if value != getattr(usual, name)}


@dataclass(frozen=True)
class Member:
    """Where an entity's number stands, in bytes."""

    in_key: bool
    offset: int
    size: int


def _share(text: str) -> float:
    return float(text.rstrip("%")) / 100


def _seconds(text: str) -> int:
    matched = _DURATION.fullmatch(text)
    if matched is None:
        raise ValueError(f"{text!r} is no duration")
    return int(matched[1]) * _UNITS[matched[2]]


def owner(found: MapDefinition, btf: Btf, limits: MapLimits) -> Optional[Member]:
    """Of the member that ``share_of`` names; None without one. Raises :class:`BadInput`."""
    if not limits.share_of:
        return None
    known: Dict[str, Member] = {}
    # A value per CPU has no single number.
    for in_key, kind in ((False, 0 if found.type in PERCPU_TYPES else found.value_type), (True, found.key_type)):
        leaves = btf.leaves(kind) if kind else ()
        known.update({each.path: Member(in_key, each.offset // 8, each.bits // 8) for each in leaves if _tells(each)})
    if limits.share_of not in known:
        problem = f"{limits.share_of!r} is no number of the map's key or value."
        remedy = f"There are: {', '.join(sorted(known)) or 'none'}."
        raise BadInput(Place("manifest"), f"maps.{found.name}.health.share_of", problem, remedy)
    return known[limits.share_of]


def _tells(leaf: Leaf) -> bool:
    whole = leaf.offset % 8 == 0 and leaf.bits in (8, 16, 32, 64)
    return bool(leaf.path) and leaf.count == 1 and whole and leaf.kind in ("u", "enum")


def check(name: str, limits: MapLimits, maps: Mapping[str, MapDefinition], btf: Btf) -> None:
    """Against the object. Raises :class:`BadInput`."""
    field, place = f"maps.{name}.health", Place("manifest")
    if limits.warning > limits.critical:
        problem = f"is {100 * limits.warning:g}%, above critical ({100 * limits.critical:g}%)."
        raise BadInput(place, f"{field}.warning", problem, "A warning comes first: give it the smaller share.")
    if name in maps:
        owner(maps[name], btf, limits)
    for word, counter in (("made", limits.made), ("failed", limits.failed)):
        if counter is not None:
            _check_counter(f"{field}.{word}", counter, maps)


def _check_counter(field: str, counter: Counter, maps: Mapping[str, MapDefinition]) -> None:
    place = Place("manifest")
    found = maps.get(counter.map)
    if found is None:
        raise unknown_word(place, f"{field}.map: no such map in the object", counter.map, list(maps))
    if found.type not in (ARRAY, PERCPU_ARRAY) or found.value_size != NUMBER_BYTES:
        problem = f"{counter.map} is of type {found.type} with values of {found.value_size} bytes."
        raise BadInput(place, f"{field}.map", problem, "A counter stands in an array of numbers of 64 bits.")
    if counter.index >= found.max_entries:
        problem = f"{counter.map} has no element {counter.index}."
        raise BadInput(place, f"{field}.index", problem, f"It has {found.max_entries}, from 0.")
