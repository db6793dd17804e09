# SPDX-License-Identifier: GPL-3.0-or-later
"""How long BPF programs run, counted by the kernel while somebody asks (BPF_ENABLE_STATS, Linux 5.8).

The kernel counts as long as the descriptor is open, for all programs, at the cost of two clock readings a run
(kernel/bpf/syscall.c bpf_enable_runtime_stats). A program that another one jumped to is in the first one's time.
"""

from __future__ import annotations

import ctypes
import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Optional, Type

from .bpf_prog import BpfProgram
from .libbpf import call, function

_RUN_TIME = 0  # enum bpf_stats_type
_LINE = re.compile(r"^(run_time_ns|run_cnt):\s*(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Runs:
    """Since the program was loaded, while the kernel counted."""

    count: int
    nanoseconds: int


class Counting:
    """Has the kernel count while entered. Raises :class:`~..errors.KernelRefusal` where it does not (EINVAL before
    Linux 5.8, EPERM)."""

    def __enter__(self) -> Counting:
        enable = function("bpf_enable_stats", ctypes.c_int, ctypes.c_int)
        self._fd = call("bpf_enable_stats", enable(_RUN_TIME))
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        os.close(self._fd)


def runs(program: int) -> Runs:
    """Of the program with this id. Raises KernelRefusal when it is gone."""
    with BpfProgram.by_id(program) as opened:
        told = dict(_LINE.findall(Path(f"/proc/self/fdinfo/{opened.fd}").read_text(encoding="ascii")))
    return Runs(int(told.get("run_cnt", 0)), int(told.get("run_time_ns", 0)))
