# SPDX-License-Identifier: GPL-3.0-or-later
"""One lock per node: two runs never interleave."""

from __future__ import annotations

import fcntl
import json
import os
import select
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator

from ..errors import Busy

LONGEST_COMMAND = 200
LONGEST_NAME = 4096
LOOKS, LOOK_SECONDS = 100, 0.01


@contextmanager
def node_lock(path: Path) -> Iterator[None]:
    """Hold ``path`` with flock(2), which the kernel releases however the process ends.

    Raises :class:`Busy` naming the holder: its process id, its command and since when it holds the lock.
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
        os.pwrite(fd, json.dumps(_ourselves()).encode(), 0)
        try:
            yield
        finally:
            # Else who comes after us, before he has written his name, would be called by ours.
            os.ftruncate(fd, 0)
    finally:
        os.close(fd)


def _ourselves() -> Dict[str, Any]:
    return {"pid": os.getpid(), "command": _command(), "since": time.time(), "boot": _boot_id()}


def _holder(fd: int) -> str:
    """Waits a moment for one who has the lock and has not written his name yet."""
    for dummy in range(LOOKS):
        named = _named(os.pread(fd, LONGEST_NAME, 0))
        if named:
            return named
        select.select([], [], [], LOOK_SECONDS)
    return "a process that has just begun"


def _named(text: bytes) -> str:
    """Empty without a name, or with that of a process which is gone: a killed one leaves its own."""
    try:
        said = json.loads(text)
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(said["since"]))
        return f"process {said['pid']} ({said['command']}), since {since}" if _alive(said["pid"]) else ""
    except (ValueError, KeyError, TypeError, OverflowError):
        return ""


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _command() -> str:
    words = Path("/proc/self/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    command = b" ".join(words).decode(errors="replace")
    return command if len(command) <= LONGEST_COMMAND else f"{command[:LONGEST_COMMAND]}..."


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
