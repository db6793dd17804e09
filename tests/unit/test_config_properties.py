# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for rows of any struct: bytes and back, by columns or one by one, in any order."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.btf_builder import BOOL, CHAR, SIGNED, Builder, laid_out
from wirespeed.config import packing
from wirespeed.config.field_spec import FieldSpec
from wirespeed.config.given import Inline, Texts
from wirespeed.config.mistakes import Found
from wirespeed.config.packed import Packed
from wirespeed.config.record_table import RecordTable, record_table
from wirespeed.errors import BadInput, Place
from wirespeed.kernel.btf import MapDefinition

PLACE = Place("test")
PROPERTY = settings(derandomize=True, max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
HASH = 1
WORDS = {"STATE_NONE": 0, "STATE_SEEN": 5, "STATE_GONE": 250}
FLAGS = {"fast": 1, "loud": 4}
MAC = st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":"))
V4 = st.ip_addresses(v=4).map(str)
V6 = st.ip_addresses(v=6).map(str)
AMOUNT = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Kind:
    """One kind of member: how its type is built, its size, what the manifest says of it, and values for it."""

    build: Callable[[Builder], int]
    size: int
    values: st.SearchStrategy[Any]
    spec: FieldSpec = FieldSpec()


def _integer(size: int, signed: bool) -> Kind:
    least = -(1 << 8 * size - 1) if signed else 0
    values = st.integers(least, least + (1 << 8 * size) - 1)
    return Kind(lambda builder: builder.integer("n", size, SIGNED * signed), size, values)


def _typedef(name: str, size: int, values: st.SearchStrategy[Any]) -> Kind:
    return Kind(lambda builder: builder.typedef(name, builder.integer("n", size)), size, values)


def _bytes(count: int, values: st.SearchStrategy[Any], spec: FieldSpec = FieldSpec(), encoding: int = 0) -> Kind:
    return Kind(lambda builder: builder.array(builder.integer("b", 1, encoding), count), count, values, spec)


def _without_zeros(values: List[int]) -> List[int]:
    while values and not values[-1]:
        values.pop()
    return values


KINDS = [
    *(_integer(size, signed) for size in (1, 2, 4, 8) for signed in (False, True)),
    _typedef("__be16", 2, st.integers(0, 65535)),
    _typedef("__be32", 4, V4),
    _typedef("__be64", 8, st.integers(0, 2**64 - 1)),
    Kind(lambda builder: builder.integer("_Bool", 1, BOOL), 1, st.booleans()),
    Kind(lambda builder: builder.enum("state", 4, WORDS), 4, st.sampled_from(["none", "seen", "gone"])),
    _bytes(3, st.binary(min_size=3, max_size=3).map(bytes.hex)),
    _bytes(8, st.text("aä0", max_size=3), encoding=CHAR),
    _bytes(6, MAC, FieldSpec(type="mac")),
    _bytes(16, V6, FieldSpec(type="ipv6")),
    Kind(
        lambda builder: builder.integer("n", 4),
        4,
        st.lists(st.sampled_from(sorted(FLAGS)), unique=True).map(sorted),
        FieldSpec(type="flags", values=FLAGS),
    ),
    Kind(lambda b: b.integer("n", 8), 8, AMOUNT.map(lambda n: f"{n}ms"), FieldSpec(type="duration", unit="us")),
    Kind(lambda b: b.integer("n", 8), 8, AMOUNT.map(lambda n: f"{n}kpps"), FieldSpec(type="rate")),
    Kind(
        lambda builder: builder.array(builder.integer("n", 2), 3),
        6,
        st.lists(st.integers(0, 65535), max_size=3).map(_without_zeros),
    ),
]


@st.composite
def tables(draw: Any) -> Tuple[RecordTable, List[Dict[str, Any]]]:
    """A table of a hash with a random key and value, and rows for it without one key twice."""
    builder, fields, strategies = Builder(), {}, {}
    sides = []
    for side in ("k", "v"):
        members = []
        for number, kind in enumerate(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))):
            name = f"{side}{number}"
            members.append((name, kind.build(builder), kind.size))
            fields[name], strategies[name] = kind.spec, kind.values
        placed, size = laid_out(members)
        sides.append((builder.struct(side, placed, size), size))
    (key, key_size), (value, value_size) = sides
    definition = MapDefinition("t", HASH, key_size, value_size, 1000, 0, key, value)
    rows = draw(st.lists(st.fixed_dictionaries(strategies), max_size=8))
    table = record_table(definition, builder.btf(), fields)
    unique = {table.entry(row)[0]: row for row in rows}
    return table, list(unique.values())


def _packed(table: RecordTable, rows: List[Any]) -> Packed:
    found = Found()
    packed = packing.packed(table, Inline(rows, PLACE), found)
    found.settle()
    return packed


@PROPERTY
@given(tables())
def test_what_is_decoded_encodes_to_the_same_bytes_and_is_canonical(case: Tuple[RecordTable, List[Any]]) -> None:
    table, rows = case
    packed = _packed(table, rows)
    decoded = list(table.unpack(packed))
    assert _packed(table, decoded) == packed
    assert list(table.unpack(_packed(table, decoded))) == decoded
    assert [table.entry(table.text(key, value)) for key, value in packed.items()] == list(packed.items())


@PROPERTY
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_the_text_does_not_matter(case: Tuple[RecordTable, List[Any]], chance: random.Random) -> None:
    table, rows = case
    shuffled = list(rows)
    chance.shuffle(shuffled)
    packed = _packed(table, rows)
    assert _packed(table, shuffled) == packed
    keys = [key for key, dummy in packed.items()]
    assert keys == sorted(keys, key=table.codec.order)
    assert packed == table.pack(rows, PLACE)


def _cell(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


@PROPERTY
@given(tables())
def test_columns_of_texts_become_the_same_bytes_as_rows_of_values(case: Tuple[RecordTable, List[Any]]) -> None:
    table, rows = case
    if not rows:
        return
    texts = Texts(table.names, tuple([_cell(row[name]) for row in rows] for name in table.names))
    entries = [table.entry(row) for row in rows]
    keys, values = table.bulk(texts.names, texts.cells)
    assert (keys, values) == (b"".join(key for key, dummy in entries), b"".join(value for dummy, value in entries))


@PROPERTY
@given(tables(), st.data())
def test_a_key_that_stands_twice_is_refused_with_both_rows(case: Tuple[RecordTable, List[Any]], data: Any) -> None:
    table, rows = case
    if not rows:
        return
    first = data.draw(st.integers(0, len(rows) - 1))
    with pytest.raises(BadInput, match=rf"row {len(rows) + 1}: .* is also the key of row {first + 1} \(test\)"):
        _packed(table, [*rows, rows[first]])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@PROPERTY
@given(tables(), st.data())
def test_a_value_of_any_kind_is_encoded_or_refused(case: Tuple[RecordTable, List[Any]], data: Any) -> None:
    table, rows = case
    row = {**(rows[0] if rows else {}), data.draw(st.sampled_from(table.names)): data.draw(JSON)}
    try:
        packed = _packed(table, [row])
    except BadInput as refused:
        assert "table t, row 1" in str(refused)
    else:
        assert _packed(table, list(table.unpack(packed))) == packed


@PROPERTY
@given(tables(), st.data())
def test_any_bytes_that_others_wrote_can_be_shown(case: Tuple[RecordTable, List[Any]], data: Any) -> None:
    table, dummy = case
    key = data.draw(st.binary(min_size=table.key_size, max_size=table.key_size))
    value = data.draw(st.binary(min_size=len(table.value), max_size=len(table.value)))
    assert set(json.loads(table.text(key, value))) == set(table.names)
