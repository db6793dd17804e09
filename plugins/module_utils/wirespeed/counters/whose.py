# SPDX-License-Identifier: GPL-3.0-or-later
"""Which driver a list of counter names is from: recordings are mislabelled, and names move between kernels. Pure."""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Set, Tuple

from .rawstats import RawStats
from .table import CounterTable, RawName, Source

_NUMBER = re.compile(r"[0-9]+")
_LIKE = 0.5
"""A recording of a driver has more than this share of the names that the best fitting driver finds in it."""


def scores(tables: Mapping[str, CounterTable], raw: RawStats) -> Dict[str, int]:
    """By driver, how many names of its table are there; the most first."""
    lines = {line for line, dummy in raw.ethtool}
    found = {
        driver: sum(_there(name, block, lines) for name, block in _names(table)) for driver, table in tables.items()
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def rather(driver: str, found: Mapping[str, int]) -> List[str]:
    """The drivers whose names they are, where those are not of ``driver``. ``found`` is of :func:`scores`."""
    best = max(found.values(), default=0)
    if not best or found.get(driver, 0) > best * _LIKE:
        return []
    return [name for name, count in found.items() if count == best]


def unread(table: CounterTable, raw: RawStats) -> List[str]:
    """Names that are not zero and of which the table does not speak, each once, numbers in them as ``{n}``."""
    names = [name for name, dummy in _names(table)]
    exact = {name.name.strip() for name in names if name.pattern is None}
    patterns = [name.pattern for name in names if name.pattern is not None]
    told = [line for line, value in raw.ethtool if value and line.strip() not in exact]
    found = (line.strip() for line in told if not any(each.match(line) for each in patterns))
    return list(dict.fromkeys(_NUMBER.sub("{n}", line) for line in found))


def _names(table: CounterTable) -> Set[Tuple[RawName, str]]:
    """With the block that each stands in, as of ``ethtool -S``."""
    return {
        (name, way.block)
        for entry in table.entries.values()
        for way in entry.alternatives
        for name in (*way.plus, *way.minus)
        if name.source is Source.ETHTOOL_S
    }


def _there(name: RawName, block: str, lines: Set[str]) -> bool:
    if block:
        return block in lines and any(line.strip() == name.name.strip() for line in lines)
    return any(name.pattern.match(line) for line in lines) if name.pattern is not None else name.name in lines
