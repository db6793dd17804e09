# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a name that a driver gives to its user in the driver's module?  Needs the module's file, not the hardware.

A name stands there as it is, or as a printf format (``rx%d_xdp_drop``), or in two pieces (``queue_%u_rx_%s`` and
``xdp_drop``), or as immediates of instructions, where the compiler has folded a table of one entry into the code
(mlx5_core's rx_out_of_buffer in Linux 6.1), or it is one that the network core adds for a driver that asks for it.
"""

from __future__ import annotations

import functools
import re
import struct
from typing import FrozenSet, Iterator, List, Optional, Tuple

_SHT_PROGBITS = 1
_READ_ONLY = (".rodata", ".data", ".init.rodata")
_PRINTABLE = re.compile(rb"[\x20-\x7e]{2,}(?=\0)")
_CONVERSION = re.compile(r"%(?:0?\d*)(?:\.\d+)?(?:ll|l|hh|h|z)?([diuxs])")
_LONGEST = 48  # a counter's name has at most 31 characters (ETH_GSTRING_LEN), its format a few more
_WINDOW = 96  # bytes of code in which the immediates of one name lie
# page_pool_ethtool_stats_get_strings, net/core/page_pool.c
_PAGE_POOL = re.compile(r"rx_pp_(alloc|recycle)_\w+")


def sections(data: bytes) -> Iterator[Tuple[str, bytes]]:
    """(name, content) of each section of a little-endian ELF64 file that has content of its own."""
    (table,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    rows = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(count)]
    for row in rows:
        start = rows[names][4] + row[0]
        if row[1] == _SHT_PROGBITS:
            yield data[start : data.index(b"\0", start)].decode(), data[row[4] : row[4] + row[5]]


class ModuleStrings:
    """One kernel module's names."""

    def __init__(self, elf: bytes) -> None:
        self._elf = elf
        found = [body for name, body in sections(elf) if name.startswith(_READ_ONLY)]
        self.strings: FrozenSet[str] = frozenset(
            text.group().decode() for body in found for text in _PRINTABLE.finditer(body)
        )

    def holds(self, name: str) -> Optional[str]:
        """How ``name`` stands there; None when it does not. ``{q}`` in it is any number."""
        return (
            self._as_it_is(name)
            or self._by_a_format(name, whole=True)
            or self._by_a_format(name, whole=False)
            or self._by_the_core(name)
            or self._in_the_code(name)
        )

    def _as_it_is(self, name: str) -> Optional[str]:
        if "{q}" not in name:
            return "exact" if name in self._stripped else None
        numbered = re.compile(r"\d+".join(map(re.escape, name.split("{q}"))))
        return "exact" if any(map(numbered.fullmatch, self.strings)) else None

    def _by_a_format(self, name: str, whole: bool) -> Optional[str]:
        """``whole``: by a format of numbers alone. Else the texts that %s stands for must be in the module too."""
        wanted = name.replace("{q}", "0")
        for pattern, texts in self._formats:
            if bool(texts) is whole:
                continue
            found = pattern.fullmatch(wanted)
            if found and all(self._is_a_piece(text) for text in found.groups()):
                return "format" if whole else "composed"
        return None

    def _is_a_piece(self, text: str) -> bool:
        return text in self._stripped or any(pattern.fullmatch(text) for pattern, texts in self._formats if not texts)

    @functools.cached_property
    def _stripped(self) -> FrozenSet[str]:
        """mlx4 and nfp indent some of their names."""
        return self.strings | {text.strip() for text in self.strings}

    @functools.cached_property
    def _formats(self) -> List[Tuple["re.Pattern[str]", int]]:
        """(pattern, number of %s) of every format that could make a name."""
        found = []
        for text in sorted(self.strings):
            if "%" in text and len(text) <= _LONGEST and "\n" not in text:
                made = _pattern(text)
                if made:
                    found.append(made)
        return found

    def _by_the_core(self, name: str) -> Optional[str]:
        asks = b"page_pool_ethtool_stats_get_strings" in self._elf
        return "core" if asks and _PAGE_POOL.fullmatch(name) else None

    def _in_the_code(self, name: str) -> Optional[str]:
        raw = name.encode()
        if len(raw) < 8 or "{q}" in name:
            return None
        whole = len(raw) // 8 * 8
        pieces = [raw[i : i + 8] for i in range(0, whole, 8)] + ([raw[whole:]] if raw[whole:] else [])
        code = [body for section, body in sections(self._elf) if section.startswith(".text")]
        return "inlined" if any(_in_order(body, pieces) for body in code) else None


def _pattern(text: str) -> "Optional[Tuple[re.Pattern[str], int]]":
    """None for a format that says nothing ('%s', '%s-%s'; '%d: %s' of qede does), or that has other conversions."""
    pattern, literal, texts, numbers, at = "", "", 0, 0, 0
    for found in _CONVERSION.finditer(text):
        literal += text[at : found.start()]
        pattern += re.escape(text[at : found.start()])
        is_text = found.group(1) == "s"
        pattern += r"([A-Za-z0-9_.\-]+)" if is_text else r"\d+"
        texts, numbers = texts + is_text, numbers + (not is_text)
        at = found.end()
    rest = text[at:]
    telling = r"\S" if numbers and texts else r"[A-Za-z\[]"
    if "%" in rest or not re.search(telling, literal + rest):
        return None
    return re.compile(pattern + re.escape(rest)), texts


def _in_order(code: bytes, pieces: List[bytes]) -> bool:
    at = code.find(pieces[0])
    while at >= 0:
        window, end = code[at : at + _WINDOW], 0
        for piece in pieces:
            end = window.find(piece, end)
            if end < 0:
                break
            end += len(piece)
        else:
            return True
        at = code.find(pieces[0], at + 1)
    return False
