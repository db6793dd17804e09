# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs at tracepoints of the kernel, with its own types (SEC("tp_btf/NAME"), Linux 5.5). Needs no trampoline."""

from __future__ import annotations

import ctypes

from .bpf_prog import BpfProgram
from .libbpf import Handle, call, function


class RawTracepoint(Handle):
    """The program runs at the tracepoint that it was loaded for until the handle is closed."""

    KIND = "bpf-link"

    @classmethod
    def attach(cls, program: BpfProgram) -> "RawTracepoint":
        """Raises KernelRefusal."""
        name = program.info.name
        make = function("bpf_raw_tracepoint_open", ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
        return cls(call(f"bpf_raw_tracepoint_open {name}", make(None, program.fd)), name)
