# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes of rows, with the lines at which they stand: a file is gone through again once for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

from ..errors import BadInput
from .given import Rows
from .mistakes import MOST, Found


@dataclass(frozen=True)
class RowMistake:
    """``number`` from 0. ``other`` is a row that ``problem`` is about as well, which is named behind it."""

    number: int
    problem: str
    column: str = ""
    remedy: str = ""
    other: Optional[int] = None


def tell(table: str, rows: Rows, mistakes: Sequence[RowMistake], found: Found) -> None:
    told = mistakes[: MOST + 1]
    numbers = {mistake.number for mistake in told} | {each.other for each in told if each.other is not None}
    places = rows.places(numbers) if numbers else {}
    for mistake in told:
        problem = mistake.problem
        if mistake.other is not None:
            problem += f" row {mistake.other + 1} ({places.get(mistake.other, rows.whole)})."
        names = (f"table {table}", f"row {mistake.number + 1}", mistake.column)
        field = ", ".join(name for name in names if name)
        found.add(BadInput(places.get(mistake.number, rows.whole), field, problem, mistake.remedy))
