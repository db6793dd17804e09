# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys are new since the walk before: each walk keeps two bits of one word for each key, by the key's hash. Pure.

A new key whose two bits other keys have set is missed. How often that is follows from how many bits of each word are
set, so the number of those that were not missed is divided by it. With 32 bits for each possible entry it is 0.6 % in
a map that is full and less in others; of n new keys, the number that comes out has a standard error of
sqrt(0.006 n) at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

BITS_PER_ENTRY = 32
LEAST_BITS = 1 << 20
MOST_BITS = 1 << 29
"""64 MiB for each side: above 16 million possible entries there are fewer bits for each."""

_WORD_BITS = 64


@dataclass
class Prints:
    """Two sides of ``words`` times 64 bits. ``side`` is the one that the next walk fills, ``missed`` the share of
    new keys that the other one takes for known; None before the first walk."""

    words: int
    side: int = 0
    missed: Optional[float] = None

    @classmethod
    def for_entries(cls, max_entries: int) -> "Prints":
        """The next power of two."""
        wanted = min(max(LEAST_BITS, BITS_PER_ENTRY * max_entries), MOST_BITS)
        return cls((1 << (wanted - 1).bit_length()) // _WORD_BITS)

    @property
    def side_bytes(self) -> int:
        return self.words * _WORD_BITS // 8

    def turn(self, unseen: int, squares: int) -> Optional[int]:
        """After a walk in which ``unseen`` entries had not both their bits on the other side, and the squares of the
        bits that are set in each word of its own add up to ``squares``: how many entries are new; None in the first
        walk. The sides change places."""
        before = self.missed
        self.side, self.missed = 1 - self.side, squares / (self.words * _WORD_BITS**2)
        return None if before is None else round(unseen / (1 - before)) if before < 1 else unseen
