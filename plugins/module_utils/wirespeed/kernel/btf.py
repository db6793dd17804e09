# SPDX-License-Identifier: GPL-3.0-or-later
"""BPF Type Format: what is needed to compare the layout of maps and to find variables.

Format: Documentation/bpf/btf.rst. Reads the ``.BTF`` section of an object file and the BTF that
the kernel keeps for a loaded map or program alike.
"""

from __future__ import annotations

import ctypes
import struct
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from ..errors import BadInput, Place
from .libbpf import call, function

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT = range(1, 12)
FUNC, FUNC_PROTO, VAR, DATASEC, FLOAT, DECL_TAG, TYPE_TAG, ENUM64 = range(12, 20)
MODIFIERS = (TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG)
_MAGIC = 0xEB9F
_HEADER = struct.Struct("<HBBIIIII")
_TYPE = struct.Struct("<III")
_PAIR = struct.Struct("<II")
_POINTER_SIZE = 8
MAX_DEPTH = 32  # as many as the kernel resolves: MAX_RESOLVE_DEPTH, kernel/bpf/btf.c
MAX_LEAVES = 4096
_INT_SIGNED = 1
# Bytes behind a type: a fixed number, and so many for each member.
_TAIL = {
    INT: (4, 0),
    ARRAY: (12, 0),
    STRUCT: (0, 12),
    UNION: (0, 12),
    ENUM: (0, 8),
    FUNC_PROTO: (0, 8),
    VAR: (4, 0),
    DATASEC: (0, 12),
    DECL_TAG: (4, 0),
    ENUM64: (0, 12),
}
OPAQUE = "bpf_"
"""Begins the kind of a member that belongs to the kernel: no program may read or write it as bytes."""
_OPAQUE = tuple(
    OPAQUE + name
    for name in ("spin_lock", "res_spin_lock", "timer", "wq", "task_work", "list_head", "rb_root", "refcount")
)
_KIND_NAMES = {PTR: "pointer", ENUM: "enum", ENUM64: "enum", FLOAT: "float", FUNC_PROTO: "function"}


@dataclass(frozen=True)
class Type:
    """``size_or_type`` is a size for sized kinds, else the id of the type pointed to."""

    name: str
    kind: int
    flag: bool
    size_or_type: int
    members: Tuple[Tuple[int, int, int], ...] = ()
    encoding: int = 0


@dataclass(frozen=True)
class Leaf:
    """One scalar of a flattened type; ``count`` > 1 for an array of scalars. Offsets in bits."""

    path: str
    offset: int
    bits: int
    kind: str
    count: int = 1

    def __str__(self) -> str:
        times = f"[{self.count}]" if self.count != 1 else ""
        return f"{self.path or 'value'} {self.kind}{self.bits}{times} at byte {self.offset / 8:g}"


class Btf:
    def __init__(self, raw: bytes) -> None:
        """Raises ValueError or struct.error when ``raw`` is no BTF."""
        magic, dummy, dummy, header, types, types_size, strings, strings_size = _HEADER.unpack_from(raw)
        if magic != _MAGIC:
            raise ValueError("no BTF magic")
        self._strings = raw[header + strings : header + strings + strings_size]
        self.types: List[Type] = [Type("void", 0, False, 0)]
        at, end = header + types, header + types + types_size
        while at < end:
            at = self._read(raw, at)

    def _read(self, raw: bytes, at: int) -> int:
        name, info, size = _TYPE.unpack_from(raw, at)
        at += 12
        kind, count = info >> 24 & 0x1F, info & 0xFFFF
        fixed, each = _TAIL.get(kind, (0, 0))
        members: Tuple[Any, ...] = ()
        encoding = 0
        if kind in (STRUCT, UNION, DATASEC, ENUM64):
            members = tuple(_TYPE.unpack_from(raw, at + 12 * i) for i in range(count))
        elif kind == ENUM:
            members = tuple((*_PAIR.unpack_from(raw, at + 8 * i), 0) for i in range(count))
        elif kind == ARRAY:
            members = (_TYPE.unpack_from(raw, at),)
        elif kind == INT:
            encoding = int.from_bytes(raw[at : at + 4], "little") >> 24
        self.types.append(Type(self.string(name), kind, bool(info >> 31), size, members, encoding))
        return int(at + fixed + each * count)

    def string(self, at: int) -> str:
        return self._strings[at : self._strings.index(b"\0", at)].decode()

    def find(self, name: str, kind: int) -> int:
        """The id of the type. Raises KeyError."""
        for number, found in enumerate(self.types):
            if found.kind == kind and found.name == name:
                return number
        raise KeyError(name)

    def plain(self, number: int) -> int:
        """The type behind typedefs and qualifiers."""
        for dummy in range(MAX_DEPTH):
            if self.types[number].kind not in MODIFIERS:
                return number
            number = self.types[number].size_or_type
        raise ValueError("a type that refers to itself")

    def size(self, number: int) -> int:
        """In bytes."""
        found = self.types[self.plain(number)]
        if found.kind == ARRAY:
            element, dummy, count = found.members[0]
            return count * self.size(element)
        return _POINTER_SIZE if found.kind == PTR else found.size_or_type

    def enumerators(self, number: int) -> Dict[str, int]:
        """The names of an enum's numbers, in the order of declaration; empty for a type that is none."""
        found = self.types[self.plain(number)]
        if found.kind not in (ENUM, ENUM64):
            return {}
        bits = 64 if found.kind == ENUM64 else 32
        numbers = {self.string(name): low | high << 32 for name, low, high in found.members}
        return {name: n - (1 << bits) if found.flag and n >> (bits - 1) else n for name, n in numbers.items()}

    def leaves(self, number: int, path: str = "", base: int = 0) -> Tuple[Leaf, ...]:
        """The scalars of a type with their full member path, in the order of declaration.

        Raises ValueError for a type of more than :data:`MAX_LEAVES`, or one within itself.
        """
        if path.count(".") + path.count("[") > MAX_DEPTH:
            raise ValueError("a type within itself")
        found = self.types[self.plain(number)]
        if found.kind == STRUCT and found.name in _OPAQUE:
            return (Leaf(path, base, found.size_or_type * 8, found.name),)
        if found.kind in (STRUCT, UNION):
            return tuple(leaf for member in found.members for leaf in self._member(found, member, path, base))
        if found.kind == ARRAY:
            element, dummy, count = found.members[0]
            step = self.size(element) * 8
            if self.types[self.plain(element)].kind in (STRUCT, UNION, ARRAY):
                if count > MAX_LEAVES:
                    raise ValueError(f"an array of {count} structs")
                parts = (self.leaves(element, f"{path}[{i}]", base + i * step) for i in range(count))
                return tuple(leaf for part in parts for leaf in part)
            return (Leaf(path, base, step, self._kind_name(element), count),)
        return (Leaf(path, base, self.size(number) * 8, self._kind_name(number)),)

    def _member(self, owner: Type, member: Tuple[int, int, int], path: str, base: int) -> Tuple[Leaf, ...]:
        name, kind, offset = self.string(member[0]), member[1], member[2]
        inner = ".".join(part for part in (path, name) if part)
        if owner.flag and offset >> 24:  # a bit field: size and offset share the word
            return (Leaf(inner, base + (offset & 0xFFFFFF), offset >> 24, f"{self._kind_name(kind)}:"),)
        return self.leaves(kind, inner, base + (offset & 0xFFFFFF if owner.flag else offset))

    def _kind_name(self, number: int) -> str:
        found = self.types[self.plain(number)]
        if found.kind == PTR and self.types[found.size_or_type].kind == TYPE_TAG:
            return f"{OPAQUE}kptr"
        if found.kind == INT:
            return "s" if found.encoding & _INT_SIGNED else "u"
        return _KIND_NAMES.get(found.kind, f"kind {found.kind} ")

    def section_leaves(self, section: str, offsets: Dict[str, int]) -> Tuple[Leaf, ...]:
        """The scalars of a section's variables; ``offsets`` by name are an object file's symbols'."""
        parts = (
            self.leaves(kind, name, offsets.get(name, offset) * 8)
            for name, (kind, offset) in self.variables(section).items()
        )
        return tuple(leaf for part in parts for leaf in part)

    def variables(self, section: str) -> Dict[str, Tuple[int, int]]:
        """Variable -> (type id, offset). Offsets are 0 in an object file: only the loader knows them."""
        try:
            members = self.types[self.find(section, DATASEC)].members
        except KeyError:
            return {}
        return {self.types[var].name: (self.types[var].size_or_type, offset) for var, offset, dummy in members}


@dataclass(frozen=True)
class MapDefinition:
    """A map as its source declares it (libbpf's ``.maps`` section). Type ids 0: declared by size only.

    ``inner`` is the template of the maps that a map of maps holds.
    """

    name: str
    type: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    key_type: int = 0
    value_type: int = 0
    inner: "Optional[MapDefinition]" = None


_FD_SIZE = 4


def map_definitions(btf: Btf) -> Dict[str, MapDefinition]:
    """By name, in source order: ``__uint`` hides a number in an array's length, ``__type`` in a pointer."""
    return {name: _definition(btf, name, type_id) for name, (type_id, dummy) in btf.variables(".maps").items()}


def _definition(btf: Btf, name: str, type_id: int) -> MapDefinition:
    numbers: Dict[str, int] = {}
    types: Dict[str, int] = {}
    inner = None
    for member_name, member_type, dummy in btf.types[btf.plain(type_id)].members:
        member, shown = btf.string(member_name), btf.types[btf.plain(member_type)]
        if member == "values":  # __array(values, struct ...): pointers to maps, or to programs
            inner = _inner(btf, shown.members[0][0])
            continue
        pointed = shown.size_or_type
        target = btf.types[btf.plain(pointed)]
        if member in ("key", "value"):
            types[member] = pointed
        elif target.kind == ARRAY:
            numbers[member] = target.members[0][2]
    return MapDefinition(
        name,
        numbers.get("type", 0),
        btf.size(types["key"]) if "key" in types else numbers.get("key_size", _FD_SIZE if inner else 0),
        btf.size(types["value"]) if "value" in types else numbers.get("value_size", _FD_SIZE if inner else 0),
        numbers.get("max_entries", 0),
        numbers.get("map_flags", 0),
        types.get("key", 0),
        types.get("value", 0),
        inner,
    )


def _inner(btf: Btf, pointer: int) -> Optional[MapDefinition]:
    target = btf.plain(btf.types[btf.plain(pointer)].size_or_type)
    return _definition(btf, "", target) if btf.types[target].kind == STRUCT else None


def of_object(section: bytes, place: Place) -> Btf:
    """The BTF of an object's ``.BTF`` section. Raises :class:`BadInput`."""
    try:
        return Btf(section)
    except (ValueError, struct.error, IndexError) as error:
        raise BadInput(
            place, ".BTF", f"the object has no type information ({error}).", "Compile it with clang -g."
        ) from error


def of_kernel(btf_id: int) -> Btf:
    """The BTF with this id in the kernel. Raises KernelRefusal."""
    free = function("btf__free", None, ctypes.c_void_p)
    load = function("btf__load_from_kernel_by_id", ctypes.c_void_p, ctypes.c_uint32)
    raw_data = function("btf__raw_data", ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32))
    loaded = load(btf_id)
    if not loaded:
        call(f"BPF_BTF_GET_FD_BY_ID {btf_id}", -ctypes.get_errno())
    try:
        size = ctypes.c_uint32()
        return Btf(ctypes.string_at(raw_data(loaded, ctypes.byref(size)), size.value))
    finally:
        free(loaded)
