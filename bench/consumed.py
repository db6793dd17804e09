# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor time of nodes that are PID namespaces, and of the SSH connections to them.

Each is the sum over the processes that live now, of their own time and that of the children they have waited for
(fields 14 to 17 of /proc/PID/stat, proc_pid_stat(5)). A connection that is held open by ControlPersist has waited for
all that ran through it, so nothing is missed; whatever ends before the look, and whose parent is not in the node, is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Collection, Iterator, Optional

TICK = os.sysconf("SC_CLK_TCK")


def by_nodes(inits: Collection[int]) -> float:
    """Seconds of all processes in the PID namespaces of the nodes' first processes."""
    return sum(map(_seconds, _inside(inits)))


def count(inits: Collection[int]) -> int:
    """How many processes there are in these namespaces."""
    return len(list(_inside(inits)))


def _inside(inits: Collection[int]) -> Iterator[Path]:
    namespaces = {found for found in map(_namespace, inits) if found}
    return (process for process in _processes() if _namespace(int(process.name)) in namespaces)


def by_masters(control_paths: Path) -> float:
    """Seconds of the SSH connections whose sockets are in that folder; they outlive the run that opened them."""
    return sum(_seconds(process) for process in masters(control_paths))


def masters(control_paths: Path) -> Iterator[Path]:
    """An open connection shows as ``ssh: CONTROL_PATH [mux]``."""
    title = f"ssh: {control_paths}/".encode()
    for process in _processes():
        try:
            if (process / "cmdline").read_bytes().startswith(title):
                yield process
        except OSError:  # gone meanwhile
            continue


def _processes() -> Iterator[Path]:
    return (path for path in Path("/proc").iterdir() if path.name.isdigit())


def _namespace(pid: int) -> Optional[str]:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:  # gone, or a kernel thread
        return None


def _seconds(process: Path) -> float:
    try:
        text = (process / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    fields = text[text.rindex(")") + 2 :].split()
    return sum(int(field) for field in fields[11:15]) / TICK
