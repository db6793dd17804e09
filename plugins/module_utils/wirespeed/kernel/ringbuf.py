# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a BPF ring buffer when it is told to: there need not be a wake-up for each record."""

from __future__ import annotations

import ctypes
import errno
from typing import List, Optional

from ..errors import KernelRefusal
from .bpf_map import BpfMap
from .libbpf import call, function

_TAKE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_PTR, _INT = ctypes.c_void_p, ctypes.c_int


class RingBuffer:
    """The one reader of a map of type RINGBUF; libbpf minds the order of memory between it and the programs."""

    def __init__(self, ring: BpfMap) -> None:
        """Raises KernelRefusal."""
        self._taken: List[bytes] = []
        self._most = 0
        self._take = _TAKE(self._one)  # kept alive here: the library holds a bare pointer
        make = function("ring_buffer__new", _PTR, _INT, _TAKE, _PTR, _PTR)
        self._ring: Optional[int] = make(ring.fd, self._take, None, None)
        if not self._ring:
            raise KernelRefusal(f"ring_buffer__new {ring.name}", ctypes.get_errno() or errno.EINVAL)

    def _one(self, dummy: int, data: int, size: int) -> int:
        self._taken.append(ctypes.string_at(data, size))
        return -errno.ECANCELED if len(self._taken) >= self._most else 0

    def take(self, most: int) -> List[bytes]:
        """Up to ``most`` records, the oldest first; they are out of the ring then. Raises KernelRefusal."""
        self._taken, self._most = [], most
        result = function("ring_buffer__consume", _INT, _PTR)(self._ring)
        if result != -errno.ECANCELED:
            call("ring_buffer__consume", result)
        return self._taken

    def close(self) -> None:
        if self._ring:
            function("ring_buffer__free", None, _PTR)(self._ring)
            self._ring = None
