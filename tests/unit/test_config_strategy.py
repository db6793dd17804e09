# SPDX-License-Identifier: GPL-3.0-or-later
"""How a document is to be delivered: by the size of the difference, what the object has and the manifest allows."""

from __future__ import annotations

from typing import Dict, List, Tuple

import pytest

from wirespeed.config.difference import Difference
from wirespeed.config.packed import Packed
from wirespeed.config.strategy import EVERY, Possible, Strategy, allowed, decide, parse
from wirespeed.errors import BadInput, Refused
from wirespeed.pipeline.manifest import Manifest

ENTRY, MAP_SWAP, PROGRAM_SWAP = EVERY
SIDED = Possible(word=True, doubled=frozenset({"one", "two"}))
PLAIN = Possible(word=False, doubled=frozenset())


def rows(count: int) -> Packed:
    return Packed(4, 1, bytes(4 * count), bytes(count))


def changes(**counts: Tuple[int, int, int]) -> Dict[str, Difference]:
    """By table: added, removed, present."""
    none = rows(0)
    return {name: Difference(rows(add), none, none, rows(gone), has) for name, (add, gone, has) in counts.items()}


ONE = changes(one=(1, 0, 5), two=(0, 0, 5))
SOME = changes(one=(10, 10, 100), two=(5, 0, 100))
FEW_OF_MANY = changes(one=(10, 0, 1_000_000), two=(0, 0, 5))


@pytest.mark.parametrize(
    "possible, found, chosen",
    [
        (SIDED, changes(one=(0, 0, 5)), ENTRY),
        (SIDED, ONE, ENTRY),
        (SIDED, FEW_OF_MANY, ENTRY),
        (SIDED, SOME, MAP_SWAP),
        (SIDED, changes(one=(10, 1, 1_000_000)), MAP_SWAP),
        (SIDED, changes(one=(10, 0, 9_000)), MAP_SWAP),
        (SIDED, changes(one=(10, 0, 100), three=(1, 0, 1)), PROGRAM_SWAP),
        (PLAIN, ONE, ENTRY),
        (PLAIN, SOME, PROGRAM_SWAP),
        (Possible(False, frozenset(), no_reload="nothing is stored"), SOME, ENTRY),
        (Possible(True, frozenset({"one", "two"}), (MAP_SWAP, PROGRAM_SWAP)), ONE, MAP_SWAP),
        (Possible(True, frozenset({"one", "two"}), (PROGRAM_SWAP,)), SOME, PROGRAM_SWAP),
    ],
)
def test_auto_takes(possible: Possible, found: Dict[str, Difference], chosen: Strategy) -> None:
    assert decide(Strategy.AUTO, possible, found).strategy is chosen


@pytest.mark.parametrize("asked", EVERY)
def test_what_is_asked_for_is_taken(asked: Strategy) -> None:
    assert decide(asked, SIDED, SOME).strategy is asked


@pytest.mark.parametrize(
    "asked, possible, why",
    [
        (MAP_SWAP, PLAIN, "the program declares no WS_CONFIG. Possible here: entry, program_swap."),
        (MAP_SWAP, Possible(True, frozenset({"two"})), "it changes one, declared without WS_TABLE"),
        (ENTRY, Possible(True, frozenset(), (PROGRAM_SWAP,)), "the manifest allows program_swap alone"),
        (PROGRAM_SWAP, Possible(True, frozenset(), no_reload="nothing is stored"), "nothing is stored"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(asked: Strategy, possible: Possible, why: str) -> None:
    with pytest.raises(Refused) as refused:
        decide(asked, possible, SOME)
    assert why in str(refused.value)


def test_nothing_that_is_allowed_can_be() -> None:
    with pytest.raises(Refused, match="map_swap: the program declares no WS_CONFIG"):
        decide(Strategy.AUTO, Possible(False, frozenset(), (MAP_SWAP,)), SOME)


@pytest.mark.parametrize("said, strategies", [({}, EVERY), ({"delivery": ["program_swap"]}, (PROGRAM_SWAP,))])
def test_the_manifest_bounds_it(said: Dict[str, List[str]], strategies: Tuple[Strategy, ...]) -> None:
    manifest = {"manifest": 1, "name": "small", "version": "1", "entry": "small", "config": said}
    assert allowed(Manifest.from_json(manifest)) == strategies


def test_a_strategy_that_is_none_is_told_with_those_that_are() -> None:
    with pytest.raises(BadInput, match="'swap' is none"):
        parse("swap")


@pytest.mark.parametrize("found", [ONE, SOME, FEW_OF_MANY])
def test_the_reason_is_told(found: Dict[str, Difference]) -> None:
    assert "operation" in decide(Strategy.AUTO, SIDED, found).why
