# SPDX-License-Identifier: GPL-3.0-or-later
"""One processor of a node held still while the others run and its clock goes on, as a busy host does it."""

from __future__ import annotations

import contextlib
import ctypes
import os
from typing import Iterator

from . import qmp
from .errors import LabError
from .node import Node

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17  # PTRACE_*, sys/ptrace.h
_ANY_THREAD = 0x40000000  # __WALL


@contextlib.contextmanager
def held(node: Node, cpu: int) -> Iterator[None]:
    """Best while the processor idles: one that holds QEMU's lock takes the whole machine with it. Raises LabError."""
    thread = next(
        int(each["thread-id"]) for each in qmp.execute(node.monitor, "query-cpus-fast") if each["cpu-index"] == cpu
    )
    _ptrace(_SEIZE, thread)
    try:
        _ptrace(_INTERRUPT, thread)
        os.waitpid(thread, _ANY_THREAD)
        yield
    finally:
        _ptrace(_DETACH, thread)


@contextlib.contextmanager
def paused(node: Node) -> Iterator[None]:
    """All of them, and with them the node's clock: as a snapshot or a migration would."""
    qmp.execute(node.monitor, "stop")
    try:
        yield
    finally:
        qmp.execute(node.monitor, "cont")


def _ptrace(request: int, thread: int) -> None:
    call = ctypes.CDLL(None, use_errno=True).ptrace
    call.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if call(request, thread, None, None) < 0:
        raise LabError(f"ptrace of a virtual processor's thread: {os.strerror(ctypes.get_errno())}")
