# SPDX-License-Identifier: GPL-3.0-or-later
"""What two sets of packed rows differ in."""

from __future__ import annotations

from typing import Dict

from hypothesis import given
from hypothesis import strategies as st

from wirespeed.config.difference import Difference, compare, there
from wirespeed.config.packed import Packed

KEYS = st.binary(min_size=2, max_size=2)
TABLES = st.dictionaries(KEYS, st.binary(min_size=3, max_size=3), max_size=20)
Rows = Dict[bytes, bytes]


def packed(rows: Rows) -> Packed:
    return Packed(2, 3, b"".join(rows), b"".join(rows.values()))


def applied(live: Rows, change: Difference) -> Rows:
    left = {key: value for key, value in live.items() if key not in dict(change.removed.items())}
    return {**left, **dict(change.added.items()), **dict(change.changed.items())}


@given(TABLES, TABLES)
def test_what_is_live_becomes_what_is_wanted(live: Rows, wanted: Rows) -> None:
    assert applied(live, compare(packed(live), packed(wanted))) == wanted


@given(TABLES, TABLES)
def test_no_row_is_written_that_is_so_already(live: Rows, wanted: Rows) -> None:
    change = compare(packed(live), packed(wanted))
    same = sum(live.get(key) == value for key, value in wanted.items())
    assert change.added.count + change.changed.count == len(wanted) - same
    assert change.removed.count == len(set(live) - set(wanted))


@given(TABLES, TABLES)
def test_what_the_changed_rows_held_is_told(live: Rows, wanted: Rows) -> None:
    change = compare(packed(live), packed(wanted))
    assert dict(change.before.items()) == {key: live[key] for key, dummy in change.changed.items()}


@given(TABLES, TABLES)
def test_by_key_only_keys_count(live: Rows, wanted: Rows) -> None:
    change = compare(packed(live), packed(wanted), by_key=True)
    assert not change.changed.count
    assert set(applied(live, change)) == set(wanted)


def test_a_row_that_cpus_see_differently_is_written_again() -> None:
    rows = {b"aa": b"111", b"bb": b"222"}
    change = compare(packed(rows), packed(rows), torn=frozenset({b"bb"}))
    assert list(change.changed.items()) == [(b"bb", b"222")]


def test_elements_of_an_array_that_are_zero_are_no_rows() -> None:
    rows = packed({b"aa": b"\0\0\0", b"bb": b"\0\0\1", b"cc": b"\0\0\0"})
    assert [key for key, dummy in there(rows, {b"cc"}).items()] == [b"bb", b"cc"]


def test_it_reads_as_a_sentence() -> None:
    assert str(compare(packed({b"aa": b"111"}), packed({b"bb": b"111"}))) == "1 added, 1 removed"
    assert str(compare(packed({}), packed({}))) == "nothing"
