# SPDX-License-Identifier: GPL-3.0-or-later
"""One lock per node: two runs never interleave."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from ..errors import Busy


@contextmanager
def node_lock(path: Path) -> Iterator[None]:
    """Hold ``path`` with flock(2), which the kernel releases however the process ends.

    Raises :class:`Busy` naming the holder.
    """
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"Another run holds the lock {path}: {_holder(fd)}.", "Wait until it has ended and run again."
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps({"pid": os.getpid(), "boot": _boot_id()}).encode(), 0)
        yield
    finally:
        os.close(fd)


def _holder(fd: int) -> str:
    try:
        return f"process {json.loads(os.pread(fd, 4096, 0))['pid']}"
    except (ValueError, KeyError, TypeError):
        return "a process that has just begun"


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
