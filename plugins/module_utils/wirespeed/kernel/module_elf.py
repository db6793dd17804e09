# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kernel module's file tells about the driver in it: modinfo, names of objects, calls into the kernel.

Reads ELF64, little-endian, with RELA relocations (x86-64, arm64, ppc64le, riscv64). Debian and Fedora leave local
symbols in modules; where a distribution strips them (or LTO folds an array of one into code), :attr:`objects` lacks
them, and nothing follows from that.
"""

from __future__ import annotations

import functools
import re
import struct
from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterator, List, Optional, Tuple

from ..errors import BadInput, Place

_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")
_SYMTAB, _RELA, _NOBITS = 2, 4, 8
_OBJECT = 1
_UNDEFINED = 0
_TEXT = re.compile(rb"[\x20-\x7e]{2,}(?=\0)")
_PRIVATE_FLAGS = re.compile(r"priv_?fl")
_LONGEST_FLAG = 32  # ETH_GSTRING_LEN, include/uapi/linux/ethtool.h


@dataclass(frozen=True)
class _Object:
    section: int
    offset: int
    size: int


class ModuleElf:
    """One module, uncompressed. Raises :class:`BadInput` for what is none."""

    def __init__(self, data: bytes, place: Place) -> None:
        if data[:6] != b"\x7fELF\x02\x01":
            raise BadInput(place, "", "is no little-endian 64-bit ELF file, so no kernel module that can be read here.")
        self._data = data
        try:
            (table,) = struct.unpack_from("<Q", data, 0x28)
            size, count, names = struct.unpack_from("<HHH", data, 0x3A)
            self._rows = [_SECTION.unpack_from(data, table + i * size) for i in range(count)]
            self._names = [self._string(self._rows[names][4] + row[0]) for row in self._rows]
            self._read_all()
        except (struct.error, IndexError, ValueError, OverflowError) as error:
            problem = f"is damaged or cut off ({error})."
            raise BadInput(place, "", problem, "Install the kernel's package again.") from None

    def _read_all(self) -> None:
        """So that what is damaged is told here and not where it is used."""
        dummy = self.modinfo, self.calls, self.objects, self.private_flags

    @functools.cached_property
    def modinfo(self) -> Tuple[Tuple[str, str], ...]:
        """Key and value as modinfo(8) prints them; a key may come several times (``alias``, ``parm``)."""
        rows = self._body(".modinfo").split(b"\0")
        pairs = (row.decode("utf-8", "replace").partition("=") for row in rows if row)
        return tuple((key, value) for key, equals, value in pairs if equals)

    @functools.cached_property
    def calls(self) -> FrozenSet[str]:
        """Names of the kernel's (or another module's) functions and variables that it needs."""
        return frozenset(name for name, kind, section, dummy, dummy in self._symbols if section == _UNDEFINED and name)

    @functools.cached_property
    def objects(self) -> Dict[str, _Object]:
        """Its own variables and tables."""
        return {
            name: _Object(section, offset, size)
            for name, kind, section, offset, size in self._symbols
            if kind == _OBJECT and 0 < section < len(self._rows)
        }

    @functools.cached_property
    def private_flags(self) -> Optional[Tuple[str, ...]]:
        """The names that ``ethtool --show-priv-flags`` has, in its tables' order; None where no table is found.

        A table is an array of texts (igb), or of structs that begin with a text (ice) or a pointer to one (mlx5).
        """
        tables = [found for name, found in self.objects.items() if _PRIVATE_FLAGS.search(name)]
        if not tables:
            return None
        texts = [text for table in tables for text in self._texts(table) if len(text) <= _LONGEST_FLAG]
        return tuple(dict.fromkeys(text.strip() for text in texts)) or None

    def _texts(self, found: _Object) -> Iterator[str]:
        """The texts that stand in an object, then those that it points to."""
        start = self._rows[found.section][4] + found.offset
        for text in _TEXT.finditer(self._data[start : start + found.size]):
            yield text.group().decode("ascii")
        for offset, section, addend in self._relocations(found.section):
            if found.offset <= offset < found.offset + found.size and ".str" in self._names[section]:
                yield self._string(self._rows[section][4] + addend)

    def _relocations(self, section: int) -> Iterator[Tuple[int, int, int]]:
        """(offset, section pointed to, offset there), of those that point into a section of this file."""
        for row in (row for row in self._rows if row[1] == _RELA and row[7] == section):
            symbols = self._rows[row[6]][4]
            for offset, info, addend in _RELOCATION.iter_unpack(self._data[row[4] : row[4] + row[5]]):
                symbol = _SYMBOL.unpack_from(self._data, symbols + (info >> 32) * _SYMBOL.size)
                if 0 < symbol[3] < len(self._rows):
                    yield offset, symbol[3], symbol[4] + addend

    @functools.cached_property
    def _symbols(self) -> List[Tuple[str, int, int, int, int]]:
        """(name, kind, section, offset, size)."""
        found = []
        for row in (row for row in self._rows if row[1] == _SYMTAB):
            names = self._rows[row[6]][4]
            for name, info, dummy, section, value, size in _SYMBOL.iter_unpack(self._data[row[4] : row[4] + row[5]]):
                found.append((self._string(names + name), info & 0xF, section, value, size))
        return found

    def _body(self, wanted: str) -> bytes:
        for name, row in zip(self._names, self._rows):
            if name == wanted and row[1] != _NOBITS:
                return self._data[row[4] : row[4] + row[5]]
        return b""

    def _string(self, at: int) -> str:
        return self._data[at : self._data.index(b"\0", at)].decode("utf-8", "replace")
