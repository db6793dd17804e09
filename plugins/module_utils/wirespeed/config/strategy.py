# SPDX-License-Identifier: GPL-3.0-or-later
"""How a document is brought to the node: the decision, with its reason as a sentence. Pure.

``entry`` writes rows where packets read them, ``map_swap`` fills the idle side of the tables and turns one word,
``program_swap`` loads another generation with the rows in it (docs/delivery.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import AbstractSet, Mapping, Sequence, Tuple

from ..errors import BadInput, Place, Refused
from ..kernel.bpf_batch import ROWS
from ..pipeline.manifest import Manifest
from .difference import Difference, total


class Strategy(str, Enum):
    AUTO = "auto"
    ENTRY = "entry"
    MAP_SWAP = "map_swap"
    PROGRAM_SWAP = "program_swap"

    def __str__(self) -> str:
        return self.value


EVERY = (Strategy.ENTRY, Strategy.MAP_SWAP, Strategy.PROGRAM_SWAP)

SWAP_PER_ROW = 1000
"""A map swap reads the idle side of the tables that it changes, row by row, and waits until no packet reads it: for a
difference of less than one row in so many, that takes by far the longest part of it (docs/delivery.md has figures)."""


def parse(word: str) -> Strategy:
    """Raises :class:`BadInput`."""
    try:
        return Strategy(word)
    except ValueError:
        allowed = ", ".join(each.value for each in Strategy)
        raise BadInput(Place("strategy"), "", f"{word!r} is none.", f"Allowed: {allowed}.") from None


def allowed(manifest: Manifest) -> Tuple[Strategy, ...]:
    """What its author lets be done."""
    return tuple(map(Strategy, manifest.config.delivery)) or EVERY


@dataclass(frozen=True)
class Possible:
    """What a pipeline can take. ``word``: it has ``WS_CONFIG``. ``doubled`` are its tables with two sides. ``allowed``
    is what the manifest lets be done. ``no_reload`` is why no other generation can be loaded here, empty where one
    can."""

    word: bool
    doubled: AbstractSet[str]
    allowed: Tuple[Strategy, ...] = EVERY
    no_reload: str = ""


@dataclass(frozen=True)
class Decision:
    strategy: Strategy
    why: str


def decide(asked: Strategy, possible: Possible, changes: Mapping[str, Difference]) -> Decision:
    """Raises :class:`Refused` for what was asked and cannot be, or where nothing is left that can."""
    hindrances = {each: _hindrance(each, possible, changes) for each in EVERY}
    if asked is not Strategy.AUTO:
        if hindrances[asked]:
            left = [each.value for each in EVERY if not hindrances[each]]
            remedy = f"Possible here: {', '.join(left)}." if left else "Correct 'config.delivery' of the manifest."
            raise Refused(f"This document cannot be delivered by {asked}: {hindrances[asked]}.", remedy)
        return Decision(asked, "it was asked for")
    one_call = _one_call(changes)
    if one_call and not hindrances[Strategy.ENTRY]:
        return Decision(Strategy.ENTRY, one_call)
    for each, why in _CONSISTENT:
        if not hindrances[each]:
            return Decision(each, f"{total(changes)} operations {why}")
    if not hindrances[Strategy.ENTRY]:
        why = f"{hindrances[Strategy.MAP_SWAP]}, and {hindrances[Strategy.PROGRAM_SWAP]}"
        return Decision(Strategy.ENTRY, f"nothing else is possible: {why}")
    said = "; ".join(f"{each}: {why}" for each, why in hindrances.items())
    raise Refused(f"This document cannot be delivered: {said}.", "Correct 'config.delivery' of the manifest.")


_CONSISTENT: Sequence[Tuple[Strategy, str]] = (
    (Strategy.MAP_SWAP, "on the idle side, and one write that makes them live together"),
    (Strategy.PROGRAM_SWAP, "in a generation of their own: these tables have one side"),
)


def _hindrance(strategy: Strategy, possible: Possible, changes: Mapping[str, Difference]) -> str:
    """Half a sentence; empty when it is possible."""
    if strategy not in possible.allowed:
        return f"the manifest allows {', '.join(each.value for each in possible.allowed)} alone"
    if strategy is Strategy.PROGRAM_SWAP:
        return possible.no_reload
    if strategy is Strategy.MAP_SWAP:
        single = [name for name, change in changes.items() if change and name not in possible.doubled]
        if not possible.word:
            return "the program declares no WS_CONFIG"
        if single:
            return f"it changes {', '.join(single)}, declared without WS_TABLE"
    return ""


def _one_call(changes: Mapping[str, Difference]) -> str:
    """Why writing it in place is as good as a swap: one call of the kernel does it all, for few rows of many."""
    operations = total(changes)
    changed = [(name, change) for name, change in changes.items() if change]
    if operations <= 1:
        return "one operation, which is whole or not there" if operations else "no row differs"
    if len(changed) > 1 or changed[0][1].calls > 1 or operations > ROWS:
        return ""
    name, change = changed[0]
    if operations * SWAP_PER_ROW > change.present:
        return ""
    return f"{operations} operations in one call, on {change.present} rows of {name}"
