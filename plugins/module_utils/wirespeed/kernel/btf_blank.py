# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of the right sizes that say no more, for a map that is only a template."""

from __future__ import annotations

import ctypes
import struct

from .btf import STRUCT
from .libbpf import Handle, call, function

_HEADER = struct.Struct("=HBBIIIII")
_TYPE = struct.Struct("=III")
_MAGIC = 0xEB9F
_STRINGS = b"\0"
KEY, VALUE = 1, 2
"""Type ids."""


def blank(key_size: int, value_size: int) -> Handle:
    """Two structs without members, loaded; sizes in bytes. Raises KernelRefusal.

    Until Linux 6.2 a map whose value is a struct equals, as an inner map, only another of which BTF says so
    (kernel/bpf/map_in_map.c, bpf_map_meta_equal: timer_off is -ENOENT with BTF, -EINVAL without).
    """
    types = b"".join(_TYPE.pack(0, STRUCT << 24, size) for size in (key_size, value_size))
    header = _HEADER.pack(_MAGIC, 1, 0, _HEADER.size, 0, len(types), len(types), len(_STRINGS))
    raw = header + types + _STRINGS
    load = function("bpf_btf_load", ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
    return Handle(call("BPF_BTF_LOAD", load(raw, len(raw), None)), "blank types")
