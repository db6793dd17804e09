# SPDX-License-Identifier: GPL-3.0-or-later
"""The columns of a table of records, from the BTF of its map's key and value and what the manifest says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, List, Mapping, Optional, Tuple

from ..errors import BadInput
from ..kernel import btf as btfs
from ..kernel.btf import MAX_DEPTH, MAX_LEAVES, OPAQUE, Btf, MapDefinition
from ..model.intent import unknown_word
from . import shapes
from .addresses import VERSIONS
from .choice import chosen
from .field_spec import FieldSpec
from .fields.field import Field
from .fields.number import Number
from .fields.prefix import Prefix
from .prefixes import LENGTH
from .shapes import MANIFEST

KEY, VALUE = "key", "value"
PREFIX = "prefix"
_NEEDED = "A trie of records has the key {__u32 prefixlen; further members; an address of 4 or 16 bytes}."


@dataclass(frozen=True)
class Reference:
    """``column`` None: the only column of the table's key."""

    table: str
    column: Optional[str] = None


@dataclass(frozen=True)
class Column:
    """``pieces`` say where the field's bytes lie in the key or the value: from, how many, to.

    ``default`` is encoded.
    """

    name: str
    side: str
    field: Field
    pieces: Tuple[Tuple[int, int, int], ...]
    default: Optional[bytes] = None
    references: Optional[Reference] = None
    description: str = ""

    @property
    def words(self) -> str:
        return f"{self.side} {self.name} {self.pieces} {self.field.words}"

    def of(self, item: bytes) -> bytes:
        """The field's bytes, out of those of a key or a value."""
        return b"".join(item[at : at + size] for dummy, size, at in self.pieces)


@dataclass(frozen=True)
class _Member:
    """A member that is a column by itself; ``offset`` in bytes. Type 0 is a trie's address, with the length's bytes."""

    side: str
    path: str
    offset: int
    type: int


def columns(definition: MapDefinition, fields: Mapping[str, FieldSpec], btf: Btf) -> Tuple[Column, ...]:
    """Those of the key, then those of the value, in the order of the struct.

    Raises :class:`BadInput` for a map without types, a member that no row can give, and words that do not fit.
    """
    if not definition.key_type or not definition.value_type:
        raise shapes.unfit(definition, "records", "Records need the types of key and value: __type(key, ...) in C.")
    members = _members(definition, btf)
    named = _named(definition, members, fields)
    _check_names(definition, [name for dummy, name in named])
    return tuple(_column(definition, name, members[path], fields.get(name, FieldSpec()), btf) for path, name in named)


def _members(definition: MapDefinition, btf: Btf) -> Dict[str, _Member]:
    """By the name that their column has unless the manifest gives another."""
    found = _flat(btf, definition.key_type, KEY) + _flat(btf, definition.value_type, VALUE)
    if definition.type == shapes.LPM_TRIE:
        found = _with_prefix(definition, found, btf)
    paths = [member.path for member in found]
    clash = {path for path in paths if paths.count(path) > 1}
    return {f"{m.side}_{m.path}" if m.path in clash and m.side == KEY else m.path: m for m in found}


def _flat(btf: Btf, kind: int, side: str, path: str = "", base: int = 0, depth: int = 0) -> List[_Member]:
    found = btf.types[btf.plain(kind)]
    if depth > MAX_DEPTH:
        raise ValueError("a type within itself")
    if found.kind != btfs.STRUCT or found.name in ("in6_addr", "in_addr"):
        return [_Member(side, path or side, base, kind)]
    if found.name.startswith(OPAQUE):  # locks and timers are the kernel's: no row has them
        return []
    members: List[_Member] = []
    for name_at, member, offset in found.members:
        if found.flag and offset >> 24:
            raise ValueError(f"{path or side} has bit fields")
        inner = ".".join(part for part in (path, _name(btf, name_at, member)) if part)
        at = base + (offset & 0xFFFFFF if found.flag else offset) // 8
        members += _flat(btf, member, side, inner, at, depth + 1)
        if len(members) > MAX_LEAVES:
            raise ValueError(f"{path or side} has more than {MAX_LEAVES} members")
    return members


def _name(btf: Btf, name_at: int, kind: int) -> str:
    """A union without a name of its own goes by that of its first member; a struct's members stand for themselves."""
    found = btf.types[btf.plain(kind)]
    name = btf.string(name_at)
    return btf.string(found.members[0][0]) if not name and found.kind == btfs.UNION and found.members else name


def _with_prefix(definition: MapDefinition, members: List[_Member], btf: Btf) -> List[_Member]:
    """The length and the address of a trie's key are one column, in the address's place."""
    key = [member for member in members if member.side == KEY]
    last = key[-1] if len(key) > 1 else None
    fits = last is not None and key[0].offset == 0 and btf.size(key[0].type) == LENGTH.size
    if last is None or not fits or last.offset + btf.size(last.type) != definition.key_size:
        raise shapes.unfit(definition, "records", _NEEDED)
    if btf.size(last.type) not in VERSIONS:
        raise shapes.unfit(definition, "records", _NEEDED)
    prefix = replace(last, path=PREFIX, type=0)
    return [prefix if member is last else member for member in members if member is not key[0]]


def _named(
    definition: MapDefinition, members: Mapping[str, _Member], fields: Mapping[str, FieldSpec]
) -> List[Tuple[str, str]]:
    """Default name and column name of each member, in the order of the members."""
    wanted: Dict[str, str] = {}
    for name, spec in fields.items():
        path = spec.member or name
        side, dot, rest = path.partition(".")
        known = (
            path
            if path in members
            else next((usual for usual, m in members.items() if dot and (m.side, m.path) == (side, rest)), None)
        )
        where = f"maps.{definition.name}.fields.{name}"
        if known is None:
            raise unknown_word(MANIFEST, f"{where}.member" if spec.member else where, path, list(members))
        if known in wanted:
            raise BadInput(MANIFEST, where, f"is member {path}, and so is column {wanted[known]}.", "Remove one.")
        wanted[known] = name
    return [(path, wanted.get(path, path)) for path in members]


def _check_names(definition: MapDefinition, names: List[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            problem = f"{name!r} is the name of two columns."
            raise BadInput(MANIFEST, f"maps.{definition.name}.fields", problem, "Give one of them another.")


def _column(definition: MapDefinition, name: str, member: _Member, spec: FieldSpec, btf: Btf) -> Column:
    where = f"maps.{definition.name}.fields.{name}"
    try:
        field, pieces = _placed(definition, member, spec, btf)
    except ValueError as error:
        raise BadInput(MANIFEST, where, str(error)) from None
    default = None
    if spec.default is not None:
        try:
            default = field.encode(spec.default)
        except ValueError as error:
            raise BadInput(MANIFEST, f"{where}.default", f"{spec.default!r} {error}") from None
    table, dot, column = (spec.references or "").partition(".")
    reference = Reference(table, column if dot else None) if table else None
    return Column(name, member.side, field, pieces, default, reference, spec.description)


def _placed(
    definition: MapDefinition, member: _Member, spec: FieldSpec, btf: Btf
) -> Tuple[Field, Tuple[Tuple[int, int, int], ...]]:
    if member.path == PREFIX and member.type == 0:
        if spec.type not in (None, PREFIX):
            raise ValueError(f"is the prefix of a trie, and cannot be of type {spec.type}.")
        size = definition.key_size - member.offset
        fixed = (member.offset - LENGTH.size) * 8
        return Prefix(VERSIONS[size], fixed), ((0, LENGTH.size, 0), (LENGTH.size, size, member.offset))
    field = chosen(btf, member.type, spec)
    if member.side == KEY and definition.type in shapes.ARRAYS and isinstance(field, Number):
        last = definition.max_entries - 1
        field = replace(field, maximum=last if field.maximum is None else min(field.maximum, last))
    return field, ((0, field.size, member.offset),)
