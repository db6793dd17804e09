# SPDX-License-Identifier: GPL-3.0-or-later
"""Values for ``.rodata`` variables, encoded by their BTF type."""

from __future__ import annotations

import sys
from typing import Dict, Mapping, Optional

from ..errors import BadInput, Place
from ..kernel import btf as btfs
from ..kernel.btf import Btf, Leaf
from ..kernel.elf import Elf
from ..model.intent import unknown_word

SECTION = ".rodata"
_RESERVED = ("bpf_metadata_", "ws_")


def encode(values: Mapping[str, object], elf: Elf, btf: Btf, place: Place) -> Dict[int, bytes]:
    """Offset in .rodata -> bytes. Raises :class:`BadInput` naming variable, value and range."""
    types = {name: kind for name, (kind, dummy) in btf.variables(SECTION).items()}
    patches = {}
    for name, value in values.items():
        if name not in types or name.startswith(_RESERVED):
            known = [each for each in types if not each.startswith(_RESERVED)]
            raise unknown_word(place, "constants: no such .rodata variable in the object", name, known)
        leaves = btf.leaves(types[name])
        if len(leaves) != 1:
            raise BadInput(place, f"constants.{name}", "is a struct or a nested array, which cannot be set.")
        patches[elf.variable(SECTION, name).offset] = _bytes(value, leaves[0], f"constants.{name}", place)
    return patches


def _bytes(value: object, leaf: Leaf, field: str, place: Place) -> bytes:
    if leaf.count > 1:
        return _text(value, leaf, field, place)
    if not isinstance(value, int):
        raise BadInput(place, field, f"is {value!r}; the variable is a number.")
    signed = leaf.kind == "s"
    low, high = (-(1 << leaf.bits - 1), (1 << leaf.bits - 1) - 1) if signed else (0, (1 << leaf.bits) - 1)
    if not low <= value <= high:
        raise BadInput(place, field, f"is {value}.", f"The variable holds {low} to {high}.")
    return value.to_bytes(leaf.bits // 8, sys.byteorder, signed=signed)


def _text(value: object, leaf: Leaf, field: str, place: Place) -> bytes:
    raw = value.encode() if isinstance(value, str) else None
    if raw is None or leaf.bits != 8:
        raise BadInput(place, field, f"is {value!r}; the variable is an array of {leaf.count}.", "Give a text.")
    if len(raw) >= leaf.count:
        raise BadInput(place, field, f"has {len(raw)} bytes.", f"The variable holds {leaf.count - 1} and a final zero.")
    return raw.ljust(leaf.count, b"\0")


def decode(raw: bytes, btf: Btf) -> Dict[str, object]:
    """Variable -> number or text, from a loaded .rodata map's value and its BTF in the kernel."""
    found: Dict[str, object] = {}
    for name, (kind, offset) in btf.variables(SECTION).items():
        value = _value(raw, offset, kind, btf)
        if value is not None:
            found[name] = value
    return found


def initial(elf: Elf, btf: Btf) -> Dict[str, object]:
    """Variable -> what the object itself gives it, for those that a manifest can set."""
    found: Dict[str, object] = {}
    places = {symbol.name: symbol.offset for symbol in elf.symbols if symbol.section == SECTION}
    for name, (kind, dummy) in btf.variables(SECTION).items():
        if name in places and name.isidentifier() and not name.startswith(_RESERVED):
            value = _value(elf.section(SECTION), places[name], kind, btf)
            if value is not None:
                found[name] = value
    return found


def _value(raw: bytes, offset: int, kind: int, btf: Btf) -> Optional[object]:
    """A number or a text; None for what is neither."""
    leaves = btf.leaves(kind)
    data = raw[offset : offset + btf.size(kind)]
    if len(leaves) == 1 and leaves[0].count > 1 and leaves[0].bits == 8:
        return data.split(b"\0")[0].decode("utf-8", "replace")
    if len(leaves) == 1 and btf.types[btf.plain(kind)].kind in (btfs.INT, btfs.ENUM):
        return int.from_bytes(data, sys.byteorder, signed=leaves[0].kind == "s")
    return None
