# SPDX-License-Identifier: GPL-3.0-or-later
"""Several things measured in turn, round by round, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping


@dataclass(frozen=True)
class Series:
    """One figure of each round."""

    name: str
    values: List[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def tail(self) -> str:
        """What 99 of 100 rounds stay within; of fewer rounds than 100, the worst."""
        ordered = sorted(self.values)
        at = -(-99 * len(ordered) // 100) - 1
        return f"{'p99' if len(ordered) >= 100 else 'worst'} {ordered[at] * 1e3:.3g} ms"

    def ratio(self, other: "Series") -> float:
        """The median over the rounds of this one / the other one."""
        return statistics.median(one / another for one, another in zip(self.values, other.values, strict=True))

    def beside(self, *others: "Series") -> str:
        """``x0.52 of ip, x0.0031 of xdp-loader``."""
        return ", ".join(f"{times(self.ratio(other))} of {other.name}" for other in others)

    @property
    def milliseconds(self) -> str:
        return f"{self.name} {self.median * 1e3:.3g} ms ({self.tail})"


def row(what: str, series: Series, *others: Series) -> str:
    """``what: ours 0.31 ms (p99 0.42 ms): x0.52 of theirs``; without others, the figure alone."""
    return ": ".join([what, series.milliseconds, *([series.beside(*others)] if others else [])])


def in_turn(ways: Mapping[str, Callable[[], float]], rounds: int) -> Dict[str, Series]:
    """Each way returns its figure. One round before the others is not counted."""
    found = {name: Series(name) for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            value = way()
            if number:
                found[name].values.append(value)
    return found


def times(ratio: float, digits: int = 1) -> str:
    """So many decimals, and more where less than two digits would count: ``x1.2``, ``x0.0031``."""
    while ratio * 10**digits < 10 and digits < 5:
        digits += 1
    return f"x{ratio:.{digits}f}"
