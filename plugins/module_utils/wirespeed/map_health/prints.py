# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys are new since the walk before: each walk keeps a bit for each key, by the key's hash. Pure.

A new key finds a bit that another key has set as often as there are bits set, and is then missed. So the number of
those that found none is divided by the share of bits that were not set. With 32 bits for each possible entry at
most 3 % are missed before that; of n new keys, the number that comes out has a standard error of sqrt(n / 32) at most.
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
    """Two sides of ``words`` times 64 bits: ``side`` is the one that the next walk fills, and ``share`` of the other is
    set; None before the first walk."""

    words: int
    side: int = 0
    share: Optional[float] = None

    @classmethod
    def for_entries(cls, max_entries: int) -> "Prints":
        """The next power of two."""
        wanted = min(max(LEAST_BITS, BITS_PER_ENTRY * max_entries), MOST_BITS)
        return cls((1 << (wanted - 1).bit_length()) // _WORD_BITS)

    @property
    def side_bytes(self) -> int:
        return self.words * _WORD_BITS // 8

    def turn(self, unseen: int, bits: int) -> Optional[int]:
        """After a walk in which ``unseen`` entries had no bit on the other side, and which has set ``bits`` of its own:
        how many entries are new; None in the first walk. The sides change places."""
        fresh = None if self.share is None else round(unseen / (1 - self.share)) if self.share < 1 else unseen
        self.side, self.share = 1 - self.side, bits / (self.words * _WORD_BITS)
        return fresh
