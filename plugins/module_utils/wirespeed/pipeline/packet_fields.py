# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the fields of one layer of a packet, each with its range, and refuses what is no field of it. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Mapping, Optional, Sequence

from ..errors import BadInput, Place
from ..model.intent import unknown_word

MANIFEST = Place("manifest")
"""Stands for the file, whose name and line the reader of the file fills in by the field."""

_SHOWN = 60


class Fields:
    """What a manifest says of one layer; ``field`` is where: ``tests[3].packet.ipv4``."""

    def __init__(self, said: Any, field: str, known: Sequence[str]) -> None:
        if not isinstance(said, Mapping):
            raise wrong(field, said, "Give a mapping of its fields; {} is one where all have their defaults.")
        for name in said:
            if name not in known:
                raise unknown_word(MANIFEST, f"{field}.{name}", str(name), known)
        self._said = said
        self.field = field

    def __contains__(self, name: str) -> bool:
        return name in self._said

    def below(self, name: str, known: Sequence[str]) -> "Fields":
        """A mapping within this one; without fields where it is left out."""
        return Fields(self._said.get(name, {}), self.at(name), known)

    def raw(self, name: str) -> Any:
        return self._said.get(name)

    def at(self, name: str) -> str:
        return f"{self.field}.{name}"

    def number(self, name: str, bits: int, usual: int) -> int:
        return number(self._said.get(name, usual), self.at(name), 0, (1 << bits) - 1)

    def optional(self, name: str, bits: int) -> Optional[int]:
        """None where it is left out, and so to be computed."""
        return self.number(name, bits, 0) if name in self._said else None

    def mac(self, name: str, usual: str) -> bytes:
        said = self._said.get(name, usual)
        if not isinstance(said, str) or not re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", said):
            raise wrong(self.at(name), said, "Give a MAC address in quotes, as '02:00:00:00:00:01'.")
        return bytes.fromhex(said.replace(":", ""))

    def address(self, name: str, version: int, usual: str) -> bytes:
        said = self._said.get(name, usual)
        kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
        try:
            if not isinstance(said, str) or "%" in said:
                raise ValueError
            return kind(said).packed
        except ValueError:
            raise wrong(self.at(name), said, f"Give an IPv{version} address, as {usual}.") from None

    def hexadecimal(self, name: str, longest: int, multiple: int = 1) -> bytes:
        """Nothing where it is left out."""
        return hexadecimal(self._said.get(name, ""), self.at(name), longest, multiple)

    def bits(self, name: str, words: Mapping[str, int], usual: Sequence[str]) -> int:
        """The sum of the named flags."""
        said = self._said.get(name, usual)
        if not isinstance(said, (list, tuple)):
            raise wrong(self.at(name), said, f"Give a list of: {', '.join(words)}.")
        found = 0
        for number_, word in enumerate(said):
            if word not in list(words):
                raise unknown_word(MANIFEST, f"{self.at(name)}[{number_}]", str(word), list(words))
            found |= words[word]
        return found


def number(said: Any, field: str, low: int, high: int) -> int:
    if isinstance(said, bool) or not isinstance(said, int) or not low <= said <= high:
        raise wrong(field, said, f"Give a whole number from {low} to {high}.")
    return said


def hexadecimal(said: Any, field: str, longest: int, multiple: int = 1) -> bytes:
    """Blanks between digits are ignored."""
    digits = re.sub(r"\s", "", said) if isinstance(said, str) else "?"
    if not re.fullmatch(r"([0-9a-fA-F]{2})*", digits):
        raise wrong(field, said, "Give pairs of hex digits, in quotes, as '45 00 00 1c'.")
    found = bytes.fromhex(digits)
    if len(found) > longest or len(found) % multiple:
        steps = f", a multiple of {multiple}" if multiple > 1 else ""
        raise BadInput(MANIFEST, field, f"has {len(found)} bytes.", f"Give at most {longest}{steps}.")
    return found


def wrong(field: str, said: Any, remedy: str) -> BadInput:
    text = repr(said)
    return BadInput(MANIFEST, field, f"is {text if len(text) <= _SHOWN else text[:_SHOWN] + '...'}.", remedy)
