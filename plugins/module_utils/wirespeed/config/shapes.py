# SPDX-License-Identifier: GPL-3.0-or-later
"""What a map's declaration says about the rows that it can hold."""

from __future__ import annotations

import sys

from ..errors import BadInput, Place
from ..kernel.btf import MAX_DEPTH, MODIFIERS, STRUCT, Btf, MapDefinition

# enum bpf_map_type, include/uapi/linux/bpf.h
HASHES = (1, 5, 9, 10)  # HASH, PERCPU_HASH, LRU_HASH, LRU_PERCPU_HASH
ARRAYS = (2, 6)  # ARRAY, PERCPU_ARRAY
LPM_TRIE = 11
_NUMBER_BYTES = 8
LARGEST_ITEM = 1 << 22
"""Bytes of a key or a value: KMALLOC_MAX_SIZE, above which the kernel makes no hash (kernel/bpf/hashtab.c)."""

MANIFEST = Place("manifest")


def one_field(definition: MapDefinition, btf: Btf) -> bool:
    """Whether the key is one number, or an array of them, and no record of several fields.

    Without a BTF key type only the sizes speak, so it is taken for one.
    """
    if not definition.key_type:
        return True
    first = btf.leaves(definition.key_type)[0]
    return first.offset == 0 and first.bits * first.count == definition.key_size * 8


def in_network_order(definition: MapDefinition, btf: Btf) -> bool:
    """Whether the key's type is one of the kernel's ``__be16`` and the like, alone or in a struct of it."""
    number = definition.key_type
    for dummy in range(MAX_DEPTH):
        found = btf.types[number]
        if found.name.startswith("__be"):
            return True
        if found.kind not in (*MODIFIERS, STRUCT):
            break
        number = found.members[0][1] if found.kind == STRUCT else found.size_or_type
    return False


def value(definition: MapDefinition, number: int) -> bytes:
    """What is written for a row, for one CPU. Raises :class:`BadInput` when the number does not fit."""
    field, size = f"maps.{definition.name}.value", min(definition.value_size, _NUMBER_BYTES)
    if not 0 <= number < 1 << 8 * size:
        raise BadInput(MANIFEST, field, f"is {number}.", f"The map's values hold 0 to {(1 << 8 * size) - 1}.")
    if number == 0 and definition.type in ARRAYS:
        raise BadInput(
            MANIFEST,
            field,
            "is 0, but an array has all its elements at all times: a row is there when its value is not zero.",
            "Give the number that the program takes for present.",
        )
    return number.to_bytes(size, sys.byteorder).ljust(definition.value_size, b"\0")


def check_sizes(definition: MapDefinition, kind: str) -> None:
    """Raises :class:`BadInput` for items that no map has, before any is made."""
    if max(definition.key_size, definition.value_size) > LARGEST_ITEM:
        raise unfit(definition, kind, f"Keys and values have {LARGEST_ITEM} bytes at most.")


def unfit(definition: MapDefinition, kind: str, needed: str) -> BadInput:
    shape = f"type {definition.type}, {definition.max_entries} entries, key of {definition.key_size} bytes"
    return BadInput(MANIFEST, f"maps.{definition.name}.table", f"is {kind}, but the map ({shape}) is none.", needed)
