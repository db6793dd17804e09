# SPDX-License-Identifier: GPL-3.0-or-later
"""bpf/late.bpf.c at work: which CPUs were kept from running while it is entered, and for how long at a time."""

from __future__ import annotations

import struct
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Dict, Iterable, Optional, Type

from ..errors import Place
from ..kernel import bpf_batch
from ..kernel import elf as elfs
from ..kernel.bpf_map import BpfMap
from ..kernel.bpf_object import BpfObject
from ..kernel.cpu_clock import CpuClock
from ..kernel.raw_tracepoint import RawTracepoint
from ..pipeline.source import RODATA
from .evidence import Stall

BEAT_NS = 2_000_000
"""500 timer interrupts a second on each CPU: a thousandth of its time."""

LIMIT_NS = 5_000_000
_SIZES = 16
_BEAT = struct.Struct(f"={2 + 2 * _SIZES}Q")
_MAP, _LIMIT = "beats", "limit"


class Lateness:
    """Entering raises KernelRefusal, VerifierRejection or NotSupported where the kernel gives no such timer."""

    def __init__(self, code: bytes, cpus: Iterable[int]) -> None:
        self._code, self._cpus = code, tuple(cpus)
        self._stack = ExitStack()
        self._beats: Optional[BpfMap] = None

    def __enter__(self) -> Lateness:
        with ExitStack() as stack:
            loaded = stack.enter_context(BpfObject(self._code, "late"))
            limit = elfs.parse(self._code, Place("late.bpf.o")).variable(RODATA, _LIMIT)
            loaded.patch_rodata({limit.offset: LIMIT_NS.to_bytes(limit.size, "little")})
            loaded.load()
            self._beats = stack.enter_context(dict(loaded.maps())[_MAP])
            ((dummy, program),) = loaded.programs()
            with program:
                stack.enter_context(RawTracepoint.attach(program))
            for cpu in self._cpus:
                stack.enter_context(CpuClock.start(cpu, BEAT_NS))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._stack.close()

    def stalls(self) -> Dict[int, Stall]:
        """So far, by CPU; one that is under way counts too."""
        if self._beats is None:
            return {}
        now = time.monotonic_ns()
        dummy, values = bpf_batch.read(self._beats)
        columns = bpf_batch.columns(self._beats, values)
        return {cpu: _stall(columns[cpu], now) for cpu in self._cpus if cpu < len(columns)}


def _stall(column: bytes, now: int) -> Stall:
    last, longest, *numbers = _BEAT.unpack(column)
    gaps = [(late / 1e9, times) for late, times in zip(numbers[::2], numbers[1::2]) if times]
    waiting = now - last if last else 0
    if waiting > LIMIT_NS:
        gaps.append((waiting / 1e9, 1))
    return Stall(max(longest, waiting) / 1e9, tuple(gaps))
