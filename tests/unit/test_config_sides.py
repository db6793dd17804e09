# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables with two sides as the object declares them, and the word that says which is live."""

from __future__ import annotations

from typing import Dict

from wirespeed.config import sides
from wirespeed.config.sides import Word
from wirespeed.kernel.bpf_map import ARRAY, ARRAY_OF_MAPS, HASH
from wirespeed.kernel.btf import MapDefinition

INNER = MapDefinition("", HASH, 4, 8, 16, 0)
MAPS: Dict[str, MapDefinition] = {
    "ws_config": MapDefinition("ws_config", ARRAY, 4, 8, 1, 0),
    "hosts_a": MapDefinition("hosts_a", HASH, 4, 8, 16, 0),
    "hosts_b": MapDefinition("hosts_b", HASH, 4, 8, 16, 0),
    "hosts": MapDefinition("hosts", ARRAY_OF_MAPS, 4, 4, 2, 0, inner=INNER),
    "ports": MapDefinition("ports", HASH, 2, 1, 16, 0),
    "others": MapDefinition("others", ARRAY_OF_MAPS, 4, 4, 64, 0, inner=INNER),
}


def test_a_word_is_a_side_and_the_flips_before_it() -> None:
    word = Word.of(0)
    for number, (side, flips) in enumerate([(0, 0), (1, 1), (0, 2), (1, 3)]):
        assert (word.side, word.flips) == (side, flips), number
        assert Word.of(word.number) == word
        word = word.flipped()


def test_only_a_map_of_two_maps_with_both_beside_it_has_sides() -> None:
    assert list(sides.tables(MAPS)) == ["hosts"]
    assert list(sides.tables({name: each for name, each in MAPS.items() if name != "hosts_b"})) == []


def test_a_side_has_the_name_of_its_table() -> None:
    assert sides.side_of(MAPS["hosts"]) == MapDefinition("hosts", HASH, 4, 8, 16, 0)
    assert sides.side_of(MAPS["ports"]) is MAPS["ports"]
    assert sides.side_of(MAPS["others"]) is MAPS["others"]


def test_what_belongs_to_the_header_is_not_for_a_manifest() -> None:
    assert sides.internal(MAPS) == ("ws_config", "hosts_a", "hosts_b")


def test_the_size_of_a_table_is_that_of_each_side() -> None:
    found = sides.sized(MAPS, {"hosts": 1024, "ports": 99, "others": 128})
    inner = found["hosts"].inner
    assert inner is not None
    assert (found["hosts_a"].max_entries, found["hosts_b"].max_entries, inner.max_entries) == (1024, 1024, 1024)
    assert (found["hosts"].max_entries, found["ports"].max_entries, found["others"].max_entries) == (2, 99, 128)


def test_a_side_may_have_a_size_of_its_own() -> None:
    assert sides.spread_sizes(MAPS, {"hosts": 1024, "hosts_a": 16}) == {"hosts_a": 16, "hosts_b": 1024}
