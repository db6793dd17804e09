# SPDX-License-Identifier: GPL-3.0-or-later
"""Address prefixes, the way an LPM trie's key has them: the length as a number, then the address.

Keys with more fixed members before the address, as {prefixlen, policy, address}, count them in the length: all bits of
those must match (kernel/bpf/lpm_trie.c longest_prefix_match, which compares the data from its front).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Sequence

from ..addresses import SIZES
from ..prefixes import LENGTH, PrefixSet, bulk
from .address import text


@dataclass(frozen=True)
class Prefix:
    """The bytes are the length, 4 of them in host order, then the address. ``fixed`` is how many bits of the key stand
    before the address."""

    version: int
    fixed: int = 0

    @property
    def size(self) -> int:
        return LENGTH.size + SIZES[self.version]

    @property
    def words(self) -> str:
        return f"prefix{self.version} after {self.fixed}"

    def encode(self, value: Any) -> bytes:
        key = PrefixSet(self.version).encode(text(value, f"IPv{self.version} prefix"))
        return LENGTH.pack(self.fixed + LENGTH.unpack_from(key)[0]) + key[LENGTH.size :]

    def decode(self, raw: bytes) -> str:
        """A key that no row of ours makes has its length as it is, so that it shows."""
        (length,) = LENGTH.unpack_from(raw)
        return PrefixSet(self.version).decode(LENGTH.pack(max(0, length - self.fixed)) + raw[LENGTH.size :])

    def bulk(self, texts: Sequence[str]) -> bytes:
        return bulk(self.version, self.fixed, texts)

    def schema(self) -> Dict[str, Any]:
        digits = "[0-9.]+" if self.version == 4 else "[0-9a-fA-F:.]+"
        return {"type": "string", "pattern": f"^{digits}(/[0-9]{{1,3}})?$"}
