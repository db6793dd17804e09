# SPDX-License-Identifier: GPL-3.0-or-later
"""BPF iterators: a program that runs once for each entry of a map, or for each map there is, while its file is read.

Linux 5.9 and BTF of the kernel (kernel/bpf/map_iter.c). Entries are those of a hash or an array, per CPU or not; the
buckets of a hash are read under RCU and not locked.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Optional

from .bpf_link import CreateOptions
from .bpf_map import BpfMap
from .bpf_prog import BpfProgram
from .libbpf import Handle, call, function

BPF_TRACE_ITER = 28  # enum bpf_attach_type
_INT, _PTR = ctypes.c_int, ctypes.c_void_p


class _Target(ctypes.Structure):
    """union bpf_iter_link_info with its member ``map``, include/uapi/linux/bpf.h; the kernel zeroes the rest."""

    _fields_ = [("map_fd", ctypes.c_uint32)]


class Iterator(Handle):
    """Gone with its handle."""

    KIND = "bpf-link"

    @classmethod
    def create(cls, program: BpfProgram, target: Optional[BpfMap] = None) -> "Iterator":
        """Over the entries of ``target``, or over all maps. Raises KernelRefusal: EINVAL for a map of another kind,
        EACCES where the program reads beyond an entry."""
        options = CreateOptions()
        if target is not None:
            info = _Target(target.fd)
            options.iter_info, options.iter_info_len = ctypes.addressof(info), ctypes.sizeof(info)
        name = f"iterator over {'all maps' if target is None else target.name}"
        make = function("bpf_link_create", _INT, _INT, _INT, _INT, _PTR)
        result = make(program.fd, 0, BPF_TRACE_ITER, ctypes.byref(options))
        return cls(call(f"bpf_link_create {name}", result), name)

    def run(self) -> None:
        """To the end; returns to user space wherever the program has written a byte, and after a million objects,
        where the kernel says EAGAIN (kernel/bpf/bpf_iter.c, MAX_ITER_OBJECTS)."""
        make = function("bpf_iter_create", _INT, _INT)
        file = call(f"bpf_iter_create {self.name}", make(self.fd))
        try:
            while _more(file):
                pass
        finally:
            os.close(file)


def _more(file: int) -> bool:
    try:
        return bool(os.read(file, 1))
    except OSError as error:
        if error.errno != errno.EAGAIN:
            raise
        return True
