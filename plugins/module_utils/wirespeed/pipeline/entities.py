# SPDX-License-Identifier: GPL-3.0-or-later
"""Which map of a pipeline counts by entity (a customer, a policy), and where in its keys the entity stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from ..errors import BadInput, Place
from ..kernel.bpf_map import HASH_TYPES
from ..kernel.btf import Btf, Leaf, MapDefinition
from ..model.intent import unknown_word

COUNTS = ("packets", "bytes")
"""Members of the value, numbers of 64 bits; of ``struct ws_count`` in bpf/include/wirespeed.h."""

_LETTERS = {1: "B", 2: "H", 4: "I", 8: "Q"}


@dataclass(frozen=True)
class Entities:
    """``labels`` are members of the key of ``map`` that tell the entity, ``verdict`` the one with the verdict's number;
    empty where the map does not tell it. Members that are neither are summed over."""

    map: str
    labels: Tuple[str, ...]
    verdict: str = ""

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Entities":
        return cls(said["map"], tuple(said["labels"]), said.get("verdict", ""))

    def to_json(self) -> Dict[str, Any]:
        return {"map": self.map, "labels": list(self.labels), "verdict": self.verdict}


@dataclass(frozen=True)
class Layout:
    """``key`` is a format of :mod:`struct` for one key; ``order`` says where in what it gives the labels stand, and
    then the verdict. ``packets`` and ``bytes`` are the words of 64 bits of a value in which they stand."""

    key: str
    order: Tuple[int, ...]
    packets: int
    bytes: int


def layout(said: Entities, maps: Mapping[str, MapDefinition], btf: Btf) -> Layout:
    """Raises :class:`BadInput` where the object has no such map or members."""
    place, found = Place("manifest"), maps.get(said.map)
    if found is None:
        raise unknown_word(place, "entities.map: no such map in the object", said.map, list(maps))
    if found.type not in HASH_TYPES:
        raise BadInput(place, "entities.map", f"{said.map} is of type {found.type}.", "Entities are counted in a hash.")
    key = {leaf.path: leaf for leaf in (btf.leaves(found.key_type) if found.key_type else ()) if _number(leaf)}
    value = {leaf.path: leaf for leaf in (btf.leaves(found.value_type) if found.value_type else ()) if _word(leaf)}
    wanted = [("labels", each) for each in said.labels] + ([("verdict", said.verdict)] if said.verdict else [])
    for word, name in wanted:
        if name not in key:
            raise unknown_word(place, f"entities.{word}: no such number in the key of {said.map}", name, list(key))
    for name in COUNTS:
        if name not in value or found.value_size % 8:
            problem = f"the values of {said.map} have no number of 64 bits called {name!r}."
            raise BadInput(place, "entities.map", problem, "Count with struct ws_count of the SDK header.")
    words, order = _format([key[name] for dummy, name in wanted], found.key_size)
    packets, size = (value[name].offset // 64 for name in COUNTS)
    return Layout(words, order, packets, size)


def _number(leaf: Leaf) -> bool:
    return leaf.count == 1 and leaf.offset % 8 == 0 and leaf.bits // 8 in _LETTERS and leaf.kind in ("u", "enum")


def _word(leaf: Leaf) -> bool:
    return leaf.count == 1 and leaf.bits == 64 and leaf.offset % 64 == 0 and leaf.kind == "u"


def _format(wanted: Sequence[Leaf], size: int) -> Tuple[str, Tuple[int, ...]]:
    """For struct, in the byte order of this machine without its padding; what is not wanted is skipped."""
    by_place = sorted(wanted, key=lambda leaf: leaf.offset)
    text, at = "=", 0
    for leaf in by_place:
        text += f"{leaf.offset // 8 - at}x{_LETTERS[leaf.bits // 8]}"
        at = (leaf.offset + leaf.bits) // 8
    return text + f"{size - at}x", tuple(by_place.index(leaf) for leaf in wanted)


def check(said: Optional[Entities], maps: Mapping[str, MapDefinition], btf: Btf) -> None:
    """Against the object. Raises :class:`BadInput`."""
    if said is not None:
        layout(said, maps, btf)
