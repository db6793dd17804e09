# SPDX-License-Identifier: GPL-3.0-or-later
"""bpf/xdp_errors.bpf.c at work: what the kernel's XDP tracepoints say of one NIC while it is entered."""

from __future__ import annotations

import struct
from contextlib import ExitStack
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Dict, Optional, Tuple, Type

from ..errors import Place
from ..kernel import bpf_batch
from ..kernel import elf as elfs
from ..kernel.bpf_map import BpfMap
from ..kernel.bpf_object import BpfObject
from ..kernel.raw_tracepoint import RawTracepoint
from ..pipeline.source import RODATA

_KEY, _VALUE = struct.Struct("=Ii"), struct.Struct("=Q")
_MAP, _WATCHED, _NAMESPACE = "failures", "watched", "of_namespace"
_OURS = Path("/proc/self/ns/net")


class Event(IntEnum):
    """As ``enum event`` of the program. ``SENT``: a redirected frame that the target did not send."""

    EXCEPTION = 0
    REDIRECT = 1
    SENT = 2


class XdpErrors:
    """Entering raises KernelRefusal, or VerifierRejection, where the kernel has no BTF or not these tracepoints."""

    def __init__(self, code: bytes, ifindex: int) -> None:
        self._code, self._ifindex = code, ifindex
        self._stack = ExitStack()
        self._failures: Optional[BpfMap] = None

    def __enter__(self) -> XdpErrors:
        with ExitStack() as stack:
            loaded = stack.enter_context(BpfObject(self._code, "xdp_errors"))
            constants = elfs.parse(self._code, Place("xdp_errors.bpf.o"))
            for name, value in ((_WATCHED, self._ifindex), (_NAMESPACE, _OURS.stat().st_ino)):
                found = constants.variable(RODATA, name)
                loaded.patch_rodata({found.offset: value.to_bytes(found.size, "little")})
            loaded.load()
            self._failures = stack.enter_context(dict(loaded.maps())[_MAP])
            for dummy, program in loaded.programs():
                with program:
                    stack.enter_context(RawTracepoint.attach(program))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._stack.close()

    def frames(self) -> Dict[Tuple[Event, int], int]:
        """So far, by event and number: of an exception the action, else the errno (0: the target's ring was full)."""
        if self._failures is None:
            return {}
        keys, counts = bpf_batch.read(self._failures)
        pairs = zip(_KEY.iter_unpack(keys), _VALUE.iter_unpack(counts))
        return {(Event(event), number): count for (event, number), (count,) in pairs}
