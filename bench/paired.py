# SPDX-License-Identifier: GPL-3.0-or-later
"""Two things timed in turn, so that what disturbs the machine disturbs both."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import Callable, List

ROUNDS = 7


@dataclass(frozen=True)
class Pair:
    """Seconds of each round: ``ours`` beside ``theirs``, both after one round that is not counted."""

    ours: List[float]
    theirs: List[float]

    @property
    def ratio(self) -> float:
        """The median over the rounds of ours / theirs."""
        return statistics.median(one / other for one, other in zip(self.ours, self.theirs, strict=True))


def measure(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = ROUNDS) -> Pair:
    pair = Pair([], [])
    for _ in range(rounds + 1):
        pair.ours.append(seconds(ours))
        pair.theirs.append(seconds(theirs))
    return Pair(pair.ours[1:], pair.theirs[1:])


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def row(what: str, pair: Pair, ours: str, theirs: str) -> str:
    """``what: ours 0.31 s (0.30 to 0.35), theirs 0.62 s (0.60 to 0.70): x0.50``."""
    return f"{what}: {ours} {_spread(pair.ours)}, {theirs} {_spread(pair.theirs)}: x{pair.ratio:.2f}"


def _spread(values: List[float]) -> str:
    return f"{statistics.median(values):.3f} s ({min(values):.3f} to {max(values):.3f})"
