# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables with two sides, as ``bpf/include/wirespeed_config.h`` declares them, of which one word says which is live.

``WS_TABLE(deny)`` is an array of two maps, ``deny_a`` and ``deny_b``; ``WS_CONFIG`` is a u64: its lowest bit is the
live side, the bits above it count the flips.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, Iterator, Mapping, Tuple

from ..kernel.bpf_map import ARRAY, ARRAY_OF_MAPS, BpfMap
from ..kernel.bpf_object import BpfObject
from ..kernel.btf import MapDefinition

CONFIG_WORD = "ws_config"
_OF_A_TRACE = ("ws_notes", "ws_tracer")
SUFFIXES = ("_a", "_b")
SIDES = len(SUFFIXES)
_FIRST = bytes(4)
_WORD_BYTES = 8


@dataclass(frozen=True)
class Word:
    """What a packet reads once: ``side`` is 0 or 1, ``flips`` how often it changed since the generation was loaded."""

    side: int
    flips: int

    @property
    def idle(self) -> int:
        return 1 - self.side

    def flipped(self) -> "Word":
        return Word(self.idle, self.flips + 1)

    @property
    def number(self) -> int:
        return self.flips << 1 | self.side

    @classmethod
    def of(cls, number: int) -> "Word":
        return cls(number & 1, number >> 1)


def read_word(found: BpfMap) -> Word:
    return Word.of(int.from_bytes(found.lookup(_FIRST) or b"", "little"))


def write_word(found: BpfMap, word: Word) -> None:
    """One aligned copy of 8 bytes: a packet reads it before or after (kernel/bpf/arraymap.c, copy_map_value)."""
    found.update(_FIRST, word.number.to_bytes(_WORD_BYTES, "little"))


def names(table: str) -> Tuple[str, ...]:
    """Of the maps behind a table."""
    return tuple(table + suffix for suffix in SUFFIXES)


def has_sides(definition: MapDefinition) -> bool:
    return definition.type == ARRAY_OF_MAPS and definition.inner is not None and definition.max_entries == SIDES


def side_of(definition: MapDefinition) -> MapDefinition:
    """The map that holds the rows, under the table's name."""
    if definition.inner is None or not has_sides(definition):
        return definition
    return replace(definition.inner, name=definition.name)


def tables(definitions: Mapping[str, MapDefinition]) -> Iterator[str]:
    """Those with two sides."""
    for name, found in definitions.items():
        if has_sides(found) and all(side in definitions for side in names(name)):
            yield name


def internal(definitions: Mapping[str, MapDefinition]) -> Tuple[str, ...]:
    """Maps that the SDK's headers declare beside an author's own: no manifest names them."""
    words = (name for name in (CONFIG_WORD, *_OF_A_TRACE) if name in definitions)
    return (*words, *(side for table in tables(definitions) for side in names(table)))


def sized(definitions: Mapping[str, MapDefinition], sizes: Mapping[str, int]) -> Dict[str, MapDefinition]:
    """With ``sizes`` in place of their own ``max_entries``, of a table with two sides for each of them."""
    spread = spread_sizes(definitions, sizes)
    found = {}
    for name, one in definitions.items():
        if name in sizes and one.inner is not None and name not in spread:
            found[name] = replace(one, inner=replace(one.inner, max_entries=sizes[name]))
        else:
            found[name] = replace(one, max_entries=spread.get(name, one.max_entries))
    return found


def spread_sizes(definitions: Mapping[str, MapDefinition], sizes: Mapping[str, int]) -> Dict[str, int]:
    """The size of a table with two sides is that of each of them, where they have none of their own."""
    doubled = set(tables(definitions))
    plain = {name: size for name, size in sizes.items() if name not in doubled}
    return {**{side: sizes[name] for name in sizes if name in doubled for side in names(name)}, **plain}


def resize(opened: BpfObject, definitions: Mapping[str, MapDefinition], sizes: Mapping[str, int]) -> None:
    """Before it is loaded. Sides of other types may differ from their template in size (kernel/bpf/map_in_map.c,
    bpf_map_meta_equal), those of an array must not (kernel/bpf/arraymap.c, array_map_meta_equal)."""
    for name, size in spread_sizes(definitions, sizes).items():
        opened.resize(name, size)
    for name in tables(definitions):
        inner = side_of(definitions[name])
        if name in sizes and inner.type == ARRAY:
            key_value = inner.key_size, inner.value_size
            opened.template(name, BpfMap.create(ARRAY, "ws_template", key_value, sizes[name], flags=inner.flags))


def opened_side(table: BpfMap, side: int) -> BpfMap:
    """The map that packets find there. Raises KernelRefusal."""
    number = table.lookup(side.to_bytes(4, "little")) or b""
    found = BpfMap.by_id(int.from_bytes(number, "little"))
    found.name = f"{table.name}{SUFFIXES[side]}"
    return found
