# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of ELF64 as a BPF object needs: its sections and its symbols.

Read before libbpf sees the object, so that a damaged or foreign file is refused with a sentence
instead of an errno, and so that a plan can be made where no kernel is at hand.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Dict, List, Tuple

from ..errors import BadInput, Place

EM_BPF = 247
STT_OBJECT, STT_FUNC = 1, 2
_SYMTAB = 2
_NOBITS = 8
_REL = 9
_EXECUTABLE = 4  # SHF_EXECINSTR
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SIZE_OFFSET = 32  # of sh_size in Elf64_Shdr
_RELOCATION = struct.Struct("<QQ")
_ADVICE = "Build it with: clang -O2 -g -target bpf -c NAME.bpf.c -o NAME.bpf.o"


@dataclass(frozen=True)
class Section:
    """``data`` is empty for a section without contents (.bss), whose ``size`` counts all the same."""

    name: str
    kind: int
    flags: int
    data: bytes
    link: int
    size: int = 0


@dataclass(frozen=True)
class Symbol:
    """``offset`` counts from the start of ``section``; ``size`` in bytes."""

    name: str
    kind: int
    section: str
    offset: int
    size: int


@dataclass(frozen=True)
class Reference:
    """A relocation: the place in its section, its kind, and the symbol by name, or by section and offset."""

    offset: int
    kind: int
    symbol: str


@dataclass(frozen=True)
class Elf:
    sections: Tuple[Section, ...]
    symbols: Tuple[Symbol, ...]

    def section(self, name: str) -> bytes:
        """Empty when there is none."""
        return next((found.data for found in self.sections if found.name == name), b"")

    def programs(self) -> Dict[str, str]:
        """Program name -> its section (``xdp``, ``xdp.frags``): functions outside .text."""
        code = {found.name for found in self.sections if found.flags & _EXECUTABLE and found.name != ".text"}
        return {found.name: found.section for found in self.symbols if found.kind == STT_FUNC and found.section in code}

    def referred(self, section: str) -> Tuple[str, ...]:
        """Names that the relocations of a section point to: the programs that ``.maps`` puts into program arrays."""
        return tuple(reference.symbol for reference in self.references(section))

    def references(self, section: str) -> Tuple[Reference, ...]:
        """The relocations of a section, in their order. A symbol without a name is one of a section."""
        found: List[Reference] = []
        for table in (each for each in self.sections if each.kind == _REL and each.name == f".rel{section}"):
            symbols = self.sections[table.link]
            names = self.sections[symbols.link].data
            for offset, info in _RELOCATION.iter_unpack(table.data):
                name, dummy, dummy, index, value, dummy = _SYMBOL.unpack_from(symbols.data, (info >> 32) * _SYMBOL.size)
                text = _string(names, name) or f"{self.sections[index].name}+{value}"
                found.append(Reference(offset, info & 0xFFFFFFFF, text))
        return tuple(found)

    def function(self, name: str) -> Symbol:
        """Raises KeyError."""
        for found in self.symbols:
            if found.kind == STT_FUNC and found.name == name:
                return found
        raise KeyError(name)

    def variable(self, section: str, name: str) -> Symbol:
        """Raises KeyError."""
        for found in self.symbols:
            if found.kind == STT_OBJECT and found.section == section and found.name == name:
                return found
        raise KeyError(name)


def parse(data: bytes, place: Place) -> Elf:
    """Raises :class:`BadInput` for anything that is not a whole little-endian BPF object."""
    if data[:4] != b"\x7fELF":
        raise BadInput(place, "", "this is not an ELF file, so not a compiled BPF object.", _ADVICE)
    try:
        header = _HEADER.unpack_from(data)
        if header[0][4:6] != b"\x02\x01" or header[2] != EM_BPF:
            raise BadInput(place, "", "this ELF file is not for little-endian BPF (machine 247).", _ADVICE)
        sections = _sections(data, header)
        return Elf(sections, _symbols(sections))
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        problem = f"this BPF object of {len(data)} bytes is damaged or cut off ({error})."
        raise BadInput(place, "", problem, "Copy or build it again.") from error


def without_relocations(data: bytes, section: str) -> bytes:
    """The same object with the relocations of one section left out. ``data`` must have been parsed before."""
    header = _HEADER.unpack_from(data)
    table, size, count, names_at = header[6], header[11], header[12], header[13]
    names = _SECTION.unpack_from(data, table + names_at * size)
    patched = bytearray(data)
    for at in range(table, table + count * size, size):
        name, kind = struct.unpack_from("<II", data, at)
        if kind == _REL and _string(data, names[4] + name) == f".rel{section}":
            struct.pack_into("<Q", patched, at + _SIZE_OFFSET, 0)
    return bytes(patched)


def _sections(data: bytes, header: Tuple[int, ...]) -> Tuple[Section, ...]:
    table, size, count, names_at = header[6], header[11], header[12], header[13]
    if not count:
        raise ValueError("no sections")
    raw = [_SECTION.unpack_from(data, table + i * size) for i in range(count)]
    bodies = [
        b"" if kind == _NOBITS else _body(data, at, length) for dummy, kind, dummy, dummy, at, length, *dummy in raw
    ]
    return tuple(
        Section(_string(bodies[names_at], name), kind, flags, body, link, size)
        for (name, kind, flags, dummy, dummy, size, link, *dummy), body in zip(raw, bodies)
    )


def _body(data: bytes, start: int, length: int) -> bytes:
    if start + length > len(data):
        raise ValueError(f"a section ends at byte {start + length}")
    return data[start : start + length]


def _symbols(sections: Tuple[Section, ...]) -> Tuple[Symbol, ...]:
    found: List[Symbol] = []
    for table in (section for section in sections if section.kind == _SYMTAB):
        names = sections[table.link].data
        for name, info, dummy, index, value, size in _SYMBOL.iter_unpack(table.data):
            if 0 < index < len(sections):
                found.append(Symbol(_string(names, name), info & 0xF, sections[index].name, value, size))
    return tuple(found)


def _string(table: bytes, at: int) -> str:
    return table[at : table.index(b"\0", at)].decode()
