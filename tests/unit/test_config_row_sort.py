# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of bytes in order: by the C library as by Python."""

from __future__ import annotations

from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirespeed.config import row_sort

ROWS = st.integers(1, 40).flatmap(lambda width: st.lists(st.binary(min_size=width, max_size=width), max_size=200))


def rows_of(found: bytes, width: int) -> List[bytes]:
    return [bytes(found[at : at + width]) for at in range(0, len(found), width)]


@given(ROWS)
def test_the_c_library_sorts_as_python_does(rows: List[bytes]) -> None:
    width = len(rows[0]) if rows else 1
    assert rows_of(row_sort.sort(bytearray(b"".join(rows)), width), width) == sorted(rows)


def test_without_glibc_python_sorts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_sort, "_glibc", lambda: None)
    assert row_sort.sort(bytearray(b"bbabaaab"), 2) == bytearray(b"aaababbb")
