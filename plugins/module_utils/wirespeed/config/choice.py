# SPDX-License-Identifier: GPL-3.0-or-later
"""Which typed field a member of a key or a value is: by its BTF type, unless the manifest says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from ..kernel import btf as btfs
from ..kernel.btf import MAX_DEPTH, Btf
from .addresses import SIZES
from .field_spec import FieldSpec
from .fields import quantity
from .fields.address import Address, Mac
from .fields.compound import Array, Structure
from .fields.field import Field
from .fields.number import BIG, LARGEST_PORT, NATIVE, Number, Truth
from .fields.raw import Hex, Text
from .fields.word import Flags, Word, without_prefix

_SIGNED, _CHAR, _BOOL = 1, 2, 4  # BTF_INT_*, include/uapi/linux/btf.h
_BY_STRUCT = {"in6_addr": 6, "in_addr": 4}
_NUMBERS = (1, 2, 4, 8)
_ETHERNET = 6
_PLAIN = FieldSpec()
_WANTS = {"duration": quantity.DURATION_UNITS, "rate": quantity.RATE_UNITS}


@dataclass(frozen=True)
class _Scalar:
    """A number as BTF has it; ``names`` of an enum, ``kernel`` the typedef ``__be16`` and the like."""

    size: int
    signed: bool
    names: Dict[str, int]
    kernel: str = ""
    char: bool = False
    truth: bool = False


def chosen(btf: Btf, kind: int, spec: FieldSpec = _PLAIN) -> Field:
    """Of the type with this id. Raises ValueError with half a sentence when no field, or not this one, fits it."""
    element, count = _elements(btf, kind)
    whole = _of_bytes(btf.size(kind), spec, _scalar(btf, element), count, btf.types[btf.plain(kind)].name)
    if whole is not None:
        return whole
    inner = _element(btf, element, spec)
    return inner if count is None else Array(inner, count)


def _elements(btf: Btf, kind: int) -> Tuple[int, Optional[int]]:
    """The type of an array's elements and their number, through all its dimensions; None for what is no array."""
    count: Optional[int] = None
    for dummy in range(MAX_DEPTH):
        found = btf.types[btf.plain(kind)]
        if found.kind != btfs.ARRAY:
            break
        kind, times = found.members[0][0], found.members[0][2]
        count = times * (1 if count is None else count)
    return kind, count


def _of_bytes(
    size: int, spec: FieldSpec, scalar: Optional[_Scalar], count: Optional[int], name: str
) -> Optional[Field]:
    """A field that takes the member's bytes as they are, whatever C calls them."""
    if spec.type in ("ipv4", "ipv6") and size == SIZES[int(spec.type[-1])]:
        return Address(int(spec.type[-1]))
    if spec.type == "mac" and size == _ETHERNET:
        return Mac()
    if spec.type == "hex":
        return Hex(size)
    bytewise = scalar is not None and count is not None and scalar.size == 1
    if spec.type == "text" and bytewise:
        return Text(size)
    if spec.type is None and name in _BY_STRUCT:
        return Address(_BY_STRUCT[name])
    named = bool(spec.values) or scalar is None or bool(scalar.names) or scalar.truth
    if spec.type is None and scalar is not None and bytewise and not named:
        return Text(size) if scalar.char else Hex(size)
    return None


def _element(btf: Btf, kind: int, spec: FieldSpec) -> Field:
    found = btf.types[btf.plain(kind)]
    if spec.type in ("ipv4", "ipv6") and btf.size(kind) == SIZES[int(spec.type[-1])]:
        return Address(int(spec.type[-1]))
    if found.kind == btfs.STRUCT and spec.type is None:
        return Address(_BY_STRUCT[found.name]) if found.name in _BY_STRUCT else _structure(btf, kind)
    if found.kind == btfs.UNION and spec.type is None:
        return Hex(btf.size(kind))
    scalar = _scalar(btf, kind)
    if scalar is None:
        raise ValueError("has a type that no row can give: neither a number nor an enum, struct, or array of these.")
    return _number(scalar, spec)


def _structure(btf: Btf, kind: int) -> Structure:
    found = btf.types[btf.plain(kind)]
    if found.flag and any(offset >> 24 for dummy, dummy_type, offset in found.members):
        raise ValueError("has bit fields, which no row can give.")
    members = tuple(
        (btf.string(name), (offset & 0xFFFFFF if found.flag else offset) // 8, chosen(btf, member))
        for name, member, offset in found.members
    )
    return Structure(btf.size(kind), members)


def _scalar(btf: Btf, kind: int) -> Optional[_Scalar]:
    kernel, at = "", kind
    for dummy in range(MAX_DEPTH):
        found = btf.types[at]
        if found.kind not in btfs.MODIFIERS:
            break
        kernel = kernel or (found.name if found.name.startswith("__be") else "")
        at = found.size_or_type
    found = btf.types[btf.plain(kind)]
    if found.kind == btfs.INT and found.size_or_type in _NUMBERS:
        char = bool(found.encoding & _CHAR) or found.name == "char"
        truth = bool(found.encoding & _BOOL)
        return _Scalar(found.size_or_type, bool(found.encoding & _SIGNED) and not char, {}, kernel, char, truth)
    if found.kind in (btfs.ENUM, btfs.ENUM64):
        return _Scalar(found.size_or_type, found.flag, btf.enumerators(kind))
    return None


def _number(scalar: _Scalar, spec: FieldSpec) -> Field:
    big = bool(scalar.kernel) if spec.order is None else spec.order == "network"
    number = Number(scalar.size, scalar.signed, BIG if big else NATIVE, spec.minimum, spec.maximum)
    named = spec.values or scalar.names
    wanted = spec.type or _usual(scalar, bool(named))
    if wanted == "ipv4" and scalar.size == SIZES[4]:
        return Address(4)
    if wanted == "port" and scalar.size > 1:
        return Number(scalar.size, False, number.order, spec.minimum or 0, min(LARGEST_PORT, number.most))
    if wanted == "bool":
        return Truth(scalar.size)
    if wanted in ("enum", "flags"):
        if not named:
            raise ValueError(f"is of type {wanted}, but nothing says its names: give 'values'.")
        kind = Word if wanted == "enum" else Flags
        return kind(number, *_names(spec, scalar))
    if wanted in _WANTS:
        return _quantity(wanted, number, spec)
    if wanted == "integer":
        return number
    raise ValueError(f"cannot be of type {spec.type}: it is a number of {scalar.size} bytes.")


def _usual(scalar: _Scalar, named: bool) -> str:
    if named:
        return "enum"
    if scalar.truth:
        return "bool"
    return {"__be16": "port", "__be32": "ipv4"}.get(scalar.kernel, "integer")


def _names(spec: FieldSpec, scalar: _Scalar) -> Tuple[Dict[str, int], Dict[str, int]]:
    """Canonical ones, and the full names of a BTF enum in lower case."""
    if spec.values:
        return dict(spec.values), {name.lower(): number for name, number in spec.values.items()}
    return without_prefix(scalar.names), {name.lower(): number for name, number in scalar.names.items()}


def _quantity(wanted: str, number: Number, spec: FieldSpec) -> Field:
    unit = spec.unit or _WANTS[wanted][0]
    if unit not in _WANTS[wanted]:
        raise ValueError(f"has the unit {unit!r}; a {wanted} has one of {', '.join(_WANTS[wanted])}.")
    least = max(0, number.least)
    unsigned = Number(number.size, number.signed, number.order, least, number.maximum)
    return quantity.duration(unsigned, unit) if wanted == "duration" else quantity.rate(unsigned, unit)
